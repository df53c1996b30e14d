"""Which emoji sequences X counts as one: those of Emoji 11 (2018), the set of twitter-text 3.1.0.

What X's server does with newer sequences is not published; they count as the sum of their parts, the larger
number.
"""

import re


def _class(ranges: str) -> str:
    def ends(item: str) -> str:
        return "-".join(f"\\U{int(end, 16):08x}" for end in item.split("-"))

    return f"[{''.join(map(ends, ranges.split()))}]"


# Drawn as text unless U+FE0F follows.
_TEXT_FIRST = _class("""
a9 ae 203c 2049 2122 2139 2194-2199 21a9-21aa 231a-231b 2328 23cf 23ed-23ef 23f1-23f2 23f8-23fa 24c2
25aa-25ab 25b6 25c0 25fb-25fe 2600-2604 260e 2611 2614-2615 2618 2620 2622-2623 2626 262a 262e-262f 2638-263a
2640 2642 2648-2653 265f-2660 2663 2665-2666 2668 267b 267f 2692-2697 2699 269b-269c 26a0-26a1 26aa-26ab
26b0-26b1 26bd-26be 26c4-26c5 26c8 26cf 26d1 26d3-26d4 26e9-26ea 26f0-26f5 26f8 26fa 26fd 2702 2708-2709 270f
2712 2714 2716 271d 2721 2733-2734 2744 2747 2757 2763-2764 27a1 2934-2935 2b05-2b07 2b1b-2b1c 2b50 2b55 3030
303d 3297 3299 1f004 1f170-1f171 1f17e-1f17f 1f202 1f21a 1f22f 1f237 1f321 1f324-1f32c 1f336 1f37d
1f396-1f397 1f399-1f39b 1f39e-1f39f 1f3cd-1f3ce 1f3d4-1f3df 1f3f3 1f3f5 1f3f7 1f43f 1f441 1f4fd 1f549-1f54a
1f56f-1f570 1f573 1f576-1f579 1f587 1f58a-1f58d 1f5a5 1f5a8 1f5b1-1f5b2 1f5bc 1f5c2-1f5c4 1f5d1-1f5d3
1f5dc-1f5de 1f5e1 1f5e3 1f5e8 1f5ef 1f5f3 1f5fa 1f6cb 1f6cd-1f6cf 1f6e0-1f6e5 1f6e9 1f6f0 1f6f3
""")
_TEXT_FIRST_WITH_SKIN = _class("261d 26f7 26f9 270c-270d 1f3cb-1f3cc 1f574-1f575 1f590")
_WITH_SKIN = _class("""
270a-270b 1f385 1f3c2-1f3c4 1f3c7 1f3ca 1f442-1f443 1f446-1f450 1f466-1f469 1f46e 1f470-1f478 1f47c
1f481-1f483 1f485-1f487 1f4aa 1f57a 1f595-1f596 1f645-1f647 1f64b-1f64f 1f6a3 1f6b4-1f6b6 1f6c0 1f6cc
1f918-1f91c 1f91e-1f91f 1f926 1f930-1f939 1f93d-1f93e 1f9b5-1f9b6 1f9b8-1f9b9 1f9d1-1f9dd
""")
_OF_EITHER_SEX = _class("""
1f3c3-1f3c4 1f3ca 1f46e 1f471 1f473 1f477 1f481-1f482 1f486-1f487 1f645-1f647 1f64b 1f64d-1f64e 1f6a3
1f6b4-1f6b6 1f926 1f935 1f937-1f939 1f93d-1f93e 1f9b8-1f9b9 1f9d6-1f9dd
""")
_AT_WORK = _class("1f33e 1f373 1f393 1f3a4 1f3a8 1f3eb 1f3ed 1f4bb-1f4bc 1f527 1f52c 1f680 1f692 1f9b0-1f9b3")
# The first letter of a flag, then each second letter it goes with.
_FLAGS = """
ACDEFGILMOQRSTUWXZ BABDEFGHIJLMNOQRSTVWYZ CACDFGHIKLMNOPRUVWXYZ DEGJKMOZ EACEGHRSTU FIJKMOR
GABDEFGHILMNPQRSTUWY HKMNRTU ICDELMNOQRST JEMOP KEGHIMNPRWYZ LABCIKRSTUVY MACDEFGHKLMNOPQRSTUVWXYZ
NACEFGILOPRUZ OM PAEFGHKLMNRSTWY QA REOSUW SABCDEGHIJKLMNORSTVXYZ TACDFGHJKLMNORTVWZ UAGMNSYZ VACEGINU WFS XK
YET ZAMW
"""
_FLAG_LETTERS = {letter: chr(0x1F1E6 + ord(letter) - ord("A")) for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}
_FLAG_TAGS = ("gbeng", "gbsct", "gbwls")

_JOIN, _SHOWN, _SKIN = "\u200d", "\ufe0f", "[\U0001f3fb-\U0001f3ff]"
_MAN, _WOMAN, _BOY, _GIRL = "\U0001f468", "\U0001f469", "\U0001f466", "\U0001f467"
_SEX = f"{_JOIN}[\u2640\u2642]{_SHOWN}"
_PARENTS = f"(?:{_MAN}{_JOIN}[{_MAN}{_WOMAN}]|{_WOMAN}{_JOIN}{_WOMAN}|[{_MAN}{_WOMAN}])"
_CHILDREN = f"(?:{_GIRL}{_JOIN}[{_BOY}{_GIRL}]|{_BOY}{_JOIN}{_BOY}|[{_BOY}{_GIRL}])"
_HEART = f"\u2764{_SHOWN}{_JOIN}(?:\U0001f48b{_JOIN})?"


def _flags() -> str:
    tags = ("".join(chr(0xE0000 + ord(c)) for c in tag) + "\U000e007f" for tag in _FLAG_TAGS)
    pairs = (_FLAG_LETTERS[group[0]] + f"[{''.join(_FLAG_LETTERS[c] for c in group[1:])}]" for group in _FLAGS.split())
    return "|".join((*pairs, f"\U0001f3f4(?:{'|'.join(tags)})"))


_SEQUENCE = re.compile(
    "|".join((
        f"[{_MAN}{_WOMAN}]{_SKIN}?{_JOIN}(?:[\u2695\u2696\u2708]{_SHOWN}|{_AT_WORK})",
        f"[\U0001f3cb\U0001f3cc\U0001f574\U0001f575\u26f9](?:{_SKIN}|{_SHOWN}){_SEX}",
        f"{_OF_EITHER_SEX}{_SKIN}?{_SEX}",
        f"[\U0001f46f\U0001f93c\U0001f9de\U0001f9df]{_SEX}",
        f"{_MAN}{_JOIN}{_HEART}{_MAN}|{_WOMAN}{_JOIN}{_HEART}[{_MAN}{_WOMAN}]",
        f"{_PARENTS}{_JOIN}{_CHILDREN}",
        f"\U0001f3f3{_SHOWN}{_JOIN}\U0001f308|\U0001f3f4{_JOIN}\u2620{_SHOWN}|\U0001f441{_JOIN}\U0001f5e8",
        f"[#*0-9]{_SHOWN}?\u20e3",
        f"{_TEXT_FIRST}{_SHOWN}",
        f"{_TEXT_FIRST_WITH_SKIN}(?:{_SHOWN}{_SKIN}?|{_SKIN})|{_WITH_SKIN}{_SKIN}",
        _flags(),
    ))
)  # fmt: skip

_LOWEST_IN_EACH = "\u20e3"  # every sequence holds a character from here on; plain text is not searched at all


def as_one(text: str, sign: str) -> str:
    """Put `sign` in the place of each sequence; emoji of a single code point stay as they are."""
    return _SEQUENCE.sub(sign, text) if max(text, default="") >= _LOWEST_IN_EACH else text
