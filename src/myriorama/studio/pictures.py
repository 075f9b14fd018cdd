"""Pictures: a clean copy of a still image, upright, in sRGB, with nothing but its pixels.

Runs in the confined child alone (`decoding`), so every module that it needs is imported here: where
it runs, Pillow can load none of its plugins later.
"""

from io import BytesIO
from typing import BinaryIO

from PIL import (
    Image,
    ImageCms,
    ImageOps,
    JpegImagePlugin,
    MpoImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from myriorama.studio.inspection import Decoded, Limits, Refused

PLUGINS = (JpegImagePlugin, MpoImagePlugin, PngImagePlugin, TiffImagePlugin, WebPImagePlugin)
Image.preinit()
# Pillow guesses what a bomb is, and warns; here the limit is exact, before any decoding.
Image.MAX_IMAGE_PIXELS = None

JPEG_QUALITY = 92


def clean_picture(
    source: BinaryIO, target: BinaryIO, *, media_type: str, limits: Limits
) -> Decoded | Refused:
    """Write the clean copy: PNG where the picture has transparency or was PNG, JPEG otherwise."""
    with Image.open(source, formats=_FORMATS[media_type]) as image:
        width, height = image.size
        if width * height > limits.image_pixels_max:
            return Refused(
                "image_too_large",
                f"{width} x {height} pixels; at most {limits.image_pixels_max} in all are taken",
            )
        # In place, and first: what follows then costs little, however large the picture was.
        image.thumbnail((limits.side_px_max, limits.side_px_max), Image.Resampling.LANCZOS)
        ImageOps.exif_transpose(image, in_place=True)
        clean = _in_srgb(image)
    lossless = media_type == "image/png" or clean.mode == "RGBA"
    clean.info.clear()  # what would be written along: profile, EXIF, XMP, comments
    if lossless:
        clean.save(target, "PNG")
    else:
        clean.save(target, "JPEG", quality=JPEG_QUALITY)
    target.flush()
    return Decoded(
        media_types={"image": "image/png" if lossless else "image/jpeg"},
        width=clean.width,
        height=clean.height,
    )


_FORMATS = {
    "image/jpeg": ("JPEG", "MPO"),  # MPO: a JPEG that phones append a second picture to
    "image/png": ("PNG",),
    "image/webp": ("WEBP",),
}


_SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType] - Pillow leaves it untyped


def _in_srgb(image: Image.Image) -> Image.Image:
    """Return the pixels as RGB, or RGBA where any may be seen through, as sRGB shows them."""
    if image.mode.startswith("I;16"):
        return image.point(lambda value: value / 256).convert("L").convert("RGB")
    if image.has_transparency_data:
        image_with_alpha = image.convert("RGBA")
        clean = _converted(image_with_alpha.convert("RGB"), image.info.get("icc_profile"))
        clean.putalpha(image_with_alpha.getchannel("A"))
        return clean
    if image.mode not in {"RGB", "CMYK", "L"}:
        image = image.convert("RGB")
    return _converted(image, image.info.get("icc_profile"))


def _converted(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Apply the colour profile, which is dropped; one that is broken or does not fit is ignored."""
    if profile:
        try:
            shown = ImageCms.profileToProfile(image, BytesIO(profile), _SRGB, outputMode="RGB")
        except (ImageCms.PyCMSError, OSError):
            shown = None
        if shown is not None:
            return shown
    return image.convert("RGB")
