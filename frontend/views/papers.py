"""Checking a paper: by its code, by its file, by the hash of its file. Open to everybody, so counted by address."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from billing.papers import checking
from billing.papers.checking import Checked
from billing.papers.rules.codes import read
from config.kernel.api.throttling import PaperThrottle

View = Callable[..., HttpResponse]


def _counted(view: View) -> View:
    """At most so many checks from one address in a while (setting ``JISHI_PAPER_RATE``)."""

    @wraps(view)
    def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        throttle: Any = PaperThrottle()
        if throttle.allow_request(request, None):  # it reads addresses only, which Django's own request has
            return view(request, *args, **kwargs)
        response = _page(request, status=429, problem=_("Too many checks from here. Wait a minute and try again."))
        response["Retry-After"] = str(int(throttle.wait() or 60))
        return response

    return inner


@require_http_methods(["GET", "POST"])
@_counted
def paper_check(request: HttpRequest) -> HttpResponse:
    """Ask for a paper by its code (``?code=`` leads to its page) or, posted, for a file or the SHA-256 of one.

    A file is read once for its hash and not kept. With the ``code`` of a paper, the file is held against that paper only.
    """
    if request.method == "GET":
        typed = request.GET.get("code", "").strip()
        if not typed:
            return _page(request)
        return redirect("paper_verify", code=read(typed) or typed[:40].replace("/", "-"))
    typed, file = request.POST.get("code", ""), request.FILES.get("file")
    if isinstance(file, UploadedFile):
        if (file.size or 0) > settings.MAX_UPLOAD_BYTES:
            most = settings.MAX_UPLOAD_BYTES // 1024**2
            return _page(request, status=400, problem=_("Choose a file of at most %(most)s MB.") % {"most": most}, typed=typed)
        digest = _sha256(file)
    else:
        digest = checking.read_hash(request.POST.get("sha256", ""))
    if not digest:
        return _page(request, status=400, problem=_("Choose a file, or paste the 64 digits of its SHA-256."), typed=typed)
    paper = checking.by_code(typed) if typed else checking.by_file(digest)
    return _page(request, found=paper, asked=True, digest=digest, same=paper is not None and digest in paper.sha256)


@require_GET
@_counted
def paper_verify(request: HttpRequest, code: str) -> HttpResponse:
    """What we know of the paper that bears a code; 404 with a page that says so where we issued none."""
    paper = checking.by_code(code)
    return _page(request, status=200 if paper is not None else 404, found=paper, asked=True, typed=code[:40])


def _page(
    request: HttpRequest,
    *,
    status: int = 200,
    found: Checked | None = None,
    asked: bool = False,
    digest: str = "",
    same: bool = False,
    problem: str = "",
    typed: str = "",
) -> HttpResponse:
    context = {
        "paper": found,
        "asked": asked,
        "digest": digest,
        "same": same,
        "problems": [problem] if problem else [],
        "typed": typed,
    }
    response = render(request, "papers/check.html", context, status=status)
    response["X-Robots-Tag"] = "noindex"
    return response


def _sha256(file: UploadedFile) -> str:
    digest = hashlib.sha256()
    for chunk in file.chunks():
        digest.update(chunk)
    return digest.hexdigest()
