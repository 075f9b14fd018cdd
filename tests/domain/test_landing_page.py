"""Where an ad may lead to, and what only looks as if it were such a place."""

import pytest

from domain.creative.errors import LandingPageInvalid
from domain.creative.landing import host_of, is_within


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://shop.example.com", "shop.example.com"),
        ("https://SHOP.example.com/a%20b?c=d&e=f#g", "shop.example.com"),
        ("https://shop.example.com:443/", "shop.example.com"),
        ("https://xn--bcher-kva.example.org/", "xn--bcher-kva.example.org"),
        # What looks like another name is told as it is spelt, to who reviews it and who sees it.
        ("https://xn--pple-43d.example.org/", "xn--pple-43d.example.org"),
    ],
)
def test_a_page_on_the_public_web_is_taken(url: str, host: str) -> None:
    assert host_of(url) == host


@pytest.mark.parametrize(
    "url",
    [
        "",
        "shop.example.com",
        "//shop.example.com/",
        "http://shop.example.com/",
        "HTTPS://shop.example.com/",
        "javascript:alert(1)",
        "JavaScript://shop.example.com/%0aalert(1)",
        "data:text/html,<script>alert(1)</script>",
        "https:javascript:alert(1)",
        "java\tscript:alert(1)",
        "java\nscript:alert(1)",
        "\x01javascript:alert(1)",
        "javascript&colon;alert(1)",
        "vbscript:msgbox(1)",
        "blob:https://shop.example.com/1",
        "view-source:https://shop.example.com/",
        " https://shop.example.com/",
        "https://shop.example.com/\n",
        "https://shop.example.com/\u202egpj.exe",
        "https://shop.example.com/\u200b",
        "https:/shop.example.com/",
        "https:///shop.example.com/",
        "https://user@shop.example.com/",
        "https://shop.example.com@evil.example.org/",
        "https://user:secret@shop.example.com/",
        "https://shop.example.com\\@evil.example.org/",
        "https://shop.example.com/\tjavascript:",
        "https://shop.example.com/ page",
        "https://shop.example.com/%0d%0aSet-Cookie:x",
        "https://shop.example.com/%zz",
        "https://shop.example.com:8443/",
        "https://shop.example.com:/",
        "https://shop.example.com:x/",
        "https://localhost/",
        "https://shop/",
        "https://shop.local/",
        "https://metadata.google.internal/",
        "https://127.0.0.1/",
        "https://127.1/",
        "https://2130706433/",
        "https://0x7f.0.0.1/",
        "https://10.0.0.8/",
        "https://169.254.169.254/latest/meta-data",
        "https://[::1]/",
        "https://[fe80::1]/",
        "https://[::1/",
        "https://10.0.0.1.nip.io/",
        "https://shop.example.com./",
        "https://shop_1.example.com/",
        "https://bücher.example.org/",
        "https://sh\u043ep.example.com/",  # the o is Cyrillic
        "https://shop.example.com\u2044evil.example.org/",
        "https://shop.example.com\u3002evil.example.org/",
        "https://\uff53hop.example.com/",
        "https://%6c%6f%63%61%6c%68%6f%73%74/",
        "https://shop.example.com/" + "a" * 2048,
    ],
)
def test_what_is_no_plain_page_on_the_public_web_is_refused(url: str) -> None:
    with pytest.raises(LandingPageInvalid):
        host_of(url)


def test_a_host_is_within_a_website_or_beside_it() -> None:
    assert is_within("example.com", "example.com")
    assert is_within("shop.example.com", "example.com")
    assert is_within("shop.example.com", "www.example.com")
    assert not is_within("evilexample.com", "example.com")
    assert not is_within("example.com", "shop.example.com")
