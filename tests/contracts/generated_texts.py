"""Texts that try a counter: Vietnamese prose, links in every shape, emoji old and new, glued at random."""

import random
import unicodedata


def _words(text: str) -> list[str]:
    return text.split()


_WORDS = _words("""
Hôm nay tròn 5 năm ngày Cấn Thị Nguyễn Văn A bị bắt tại Nghệ An với cáo buộc “tuyên
truyền” Đến đang giam án 8 tù và 3 quản chế Hãy trả tự do ngay vô điều kiện cho mọi lương
tâm ở Việt Nam Đ đ Ơ ư ữ ỹ ỵ Ặ trước tòa 2.000 7/10/2020 1,5 Release all prisoners of
conscience in Vietnam now, please. 10 December 2026 – it’s “time” … • ₫ € ™ © ® № ½ ª ﬁ ß
ſ K
""")
_GLUED = _words("""
nay.Do quyền.Vi do.La VN.AI a.to b.ba c.vu chờ.In Trang.My prison.It today.To đi.do
Nam.Tin nay.Doế tự.do.La nay.Do”La.My example.org example.org. www.example.com.vn
nhanquyen.vn/bai-viet info@example.org @user.com #tag.com x.com/a?b=c example.org?x=1
example.org:8080 example.org:80/x?y=1#z foo_bar.example.com foo.bar_baz.com -a.com a-.com
a.-b.com a..com .com com. example.xn--p1ai xn--bcher-kva.example.com пример.рф пример.com
中文.中国 中文网址.中文网 भारत.भारतम् example.com中example.org/path a.com.한국/p
vermögen.vermögensberater VERMÖGEN.VERMÖGENSBERATER a.ею Α.ΕΥ t.co/abc
""")
_LINKS = _words("""
https://example.org https://example.org/ http://example.org/vi/chien-dich?utm_source=x&y=1
HTTPS://EXAMPLE.ORG/A https://example.org/a_(b) https://example.org/a_(b(c)d)e
https://example.org/a_(b https://example.org/((( (https://a.vn) https://ví-dụ.vn/đường-dẫn
https://t.co/abc123 https://t.co/abc123/def https://t.co/abc?x=1. http://t.co/é
https://example.org:8080/x https://example.org/?q=a.b. https://example.org/x...
https://example.org/~u/–x https://a https://sub_domain.example.com/ https://a_b.com
https://-a.com https://😀.com https://localhost/x ftp://a.com //example.org /example.org
-example.org _example.org .example.org $example.org #example.org @example.org ＠a.vn ＃a.vn
https://example.org/путь https://example.org/中 https://example.newtld/x
http://http://a.com https://https://a.vn/ https://example.org/@user/1
https://example.org/a|b https://example.org/a,b; https://example.org/x!#y https://a.vn/ɓɠʒ
""")
_EMOJI = _words("""
🇻🇳 🇽🇽 🇻 ✊ ✊🏽 👨‍👩‍👧‍👦 👨‍👩‍👧 👩‍👦 👨‍👦‍👧 👩‍❤️‍💋‍👨 👩‍❤️‍👩 👨‍⚖️ 👩🏽‍🏫 👮🏻‍♀️ 🏋️‍♂️ 🏋🏽‍♂️ 🕵️ 👯‍♀️
🧞‍♂️ 🏳️‍🌈 🏴‍☠️ 🏴󠁧󠁢󠁷󠁬󠁳󠁿 👁‍🗨 👁️‍🗨️ ❤️ ❤ ❤︎ ❤️‍🔥 🫱🏻‍🫲🏿 🧑🏿‍🤝‍🧑🏻 🐦‍🔥 🕯️ 🕊️ ⚖️ 1️⃣ #️⃣ *⃣ ©️ ™️
♟️ ☝️🏽 ☝🏽 🔥️ 🪷 🫡 👨‍ ‍👨 🏽 ⛹🏻‍♀️ 🙋🏾‍♂️ 🦸‍♀️ 🦰 👨‍🦰 ☎ ☎︎ 📢 🚨
""")
_GAPS = [*" " * 12, "", "", "", "\n\n", *"\n\u200b\u200d\ufe0f\xa0“”().,/"]
_ACCENTS = "\u0300\u0301\u0303\u0309\u0323\u0302\u031b"


def texts(how_many: int, seed: int) -> list[str]:
    chance = random.Random(seed)  # noqa: S311 - the same texts each time
    return [_text(chance) for _ in range(how_many)]


def _text(chance: random.Random) -> str:
    kinds = chance.choices((_WORDS, _GLUED, _LINKS, _EMOJI), weights=(10, 3, 3, 2), k=chance.randint(1, 14))
    text = "".join(chance.choice(kind) + chance.choice(_GAPS) for kind in kinds)
    match chance.randint(0, 19):
        case 0:
            return unicodedata.normalize("NFD", text)
        case 1:
            at = chance.randint(0, len(text))
            return text[:at] + chance.choice(_ACCENTS) + text[at:]
        case 2:
            return "".join(chance.sample(text, len(text)))
        case 3:
            return text[chance.randint(0, len(text)) :]
        case _:
            return text
