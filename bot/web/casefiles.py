"""Files of cases: all of them to take away, and a file to bring in once what it would do has been read."""

from flask import make_response, request

from bot.domain.errors import BadInput
from bot.domain.people import Duty
from bot.library.casefiles import read_cases_csv, read_cases_toml, write_cases_csv, write_cases_toml
from bot.library.files import MAX_BYTES, decode
from bot.services import cases
from bot.web.frame import Answer, Door, Pages, Visit, page, see_other

pages = Pages("casefiles")
_LONGEST_NAME = 120
_KINDS = {"toml": ("application/toml", write_cases_toml), "csv": ("text/csv", write_cases_csv)}


@pages.show("/cases/files", may=Door.SIGNED_IN)
def files_page(visit: Visit) -> Answer:
    return page("cases/files.html", exportable=visit.may(Duty.EXPORT))


@pages.act("/cases/export", may=Duty.EXPORT, again=files_page, fresh=True)
def export(visit: Visit) -> Answer:
    kind = visit.typed("format") if visit.typed("format") in _KINDS else "toml"
    mime, write = _KINDS[kind]
    answer = make_response(write(cases.export_cases(visit.ctx, visit.person)).encode())
    answer.headers["Content-Type"] = f"{mime}; charset=utf-8"
    answer.headers["Content-Disposition"] = f'attachment; filename="cases-{visit.ctx.today()}.{kind}"'
    return answer


@pages.act("/cases/import", may=Duty.EDIT_CASE, again=files_page)
def bring_in(visit: Visit) -> Answer:
    """Shows what a file would do, and brings it in when the form comes back with the text that was shown."""
    name, text = _given(visit)
    read = read_cases_toml if name.casefold().endswith(".toml") else read_cases_csv
    found = read(text.encode(), name)
    source = visit.typed("source") or name
    if not visit.typed("sure"):
        names = {case.slug: case.name_vi for case in found}
        foreseen = cases.preview_import(visit.ctx, found)
        return page("cases/import.html", name=name, text=text, origin=source, foreseen=foreseen, names=names)
    done = cases.import_cases(visit.ctx, visit.person, found, source=source)
    said = "Added: {added}. Changed: {changed}. As before: {unchanged}. Posts that must be looked at again: {posts}."
    added, changed, unchanged = (len(each) for each in (done.added, done.changed, done.unchanged))
    return see_other("/cases", said, added=added, changed=changed, unchanged=unchanged, posts=len(done.affected))


def _given(visit: Visit) -> tuple[str, str]:
    """The name and the text of the file, or the text that was shown. Raises BadInput, Rejected."""
    if visit.typed("sure"):
        return visit.typed("name")[:_LONGEST_NAME], request.form.get("text", "")
    file = visit.file("file")
    if file is None:
        with visit.about("file"):
            raise BadInput("Choose a file first: .toml or .csv.")
    name = (file.filename or "")[-_LONGEST_NAME:]
    return name, decode(file.stream.read(MAX_BYTES + 1), name)
