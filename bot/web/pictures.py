"""Pictures of posts: small on a page, and exactly as they go out when asked for."""

from flask import make_response, request

from bot.domain.errors import NotFound
from bot.library.images import image_path, thumbnail
from bot.services.compose import kept_picture
from bot.web.frame import Answer, Door, Pages, Visit

pages = Pages("pictures")


@pages.show("/pictures/<digest>", "/pictures/<digest>/whole", may=Door.SIGNED_IN)
def picture(visit: Visit, digest: str) -> Answer:
    kept = kept_picture(visit.ctx, digest, {})
    try:
        content = image_path(visit.ctx.data_dir, kept.digest, kept.mime).read_bytes()
    except OSError as error:
        raise NotFound("There is no picture {digest}. Add it again.", digest=digest[:12]) from error
    is_whole = request.path.endswith("/whole")
    response = make_response(content if is_whole else thumbnail(content))
    response.mimetype = kept.mime if is_whole else "image/jpeg"
    return response
