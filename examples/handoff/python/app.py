"""An application with people of its own, and the one endpoint that lets Wayhome's support portal know them."""

import os
import re
import secrets
import time
import uuid
from http.cookies import CookieError, SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, quote, urlsplit

import jwt

PORT = int(os.environ.get("PORT", "4501"))
WAYHOME_URL = os.environ.get("WAYHOME_URL", "http://localhost:8080")
ENVIRONMENT = os.environ.get("ENVIRONMENT", "us")
HANDOFF_SECRET = os.environ.get("HANDOFF_SECRET", "")
APP_URL = os.environ.get("APP_URL", f"http://127.0.0.1:{PORT}")
if len(HANDOFF_SECRET.encode()) < 32:
    raise SystemExit("HANDOFF_SECRET has to have 32 bytes or more (RFC 7518 §3.2)")

# Stand-ins for your own people, sessions and login page.
PASSWORD = "wayhome"
PEOPLE = {"ada@acme.example": "Ada Byron", "grace@acme.example": "Grace Hopper"}
sessions = {}

LOGIN_PAGE = """<form method="post" action="/login?next={next}">
<p>People: {people}. Password: {password}.</p>
<label>Email <input name="email" type="email" required></label>
<label>Password <input name="password" type="password" required></label>
<button>Sign in</button></form>"""


def is_return_address(redirect_uri):
    """The only address that a token may leave for: the router's return address for us, with a state and nothing else."""
    address = f"{WAYHOME_URL}/return/{ENVIRONMENT}?state="
    return redirect_uri.startswith(address) and re.fullmatch(r"[A-Za-z0-9_.-]+", redirect_uri[len(address) :])


class App(BaseHTTPRequestHandler):
    def do_GET(self):
        pages = {"/": self.home, "/sso/support": self.hand_off, "/login": self.login_page, "/logout": self.log_out}
        pages.get(urlsplit(self.path).path, self.nothing)()

    def do_POST(self):
        (self.log_in if urlsplit(self.path).path == "/login" else self.nothing)()

    def hand_off(self):
        """The router asks who this is. Whoever is not signed in does that first, and comes back here."""
        redirect_uri, nonce = self.param("redirect_uri"), self.param("nonce")
        if not is_return_address(redirect_uri) or nonce == "":
            return self.page(400, "This redirect_uri is not the router’s.")
        email = sessions.get(self.session_id())
        if email is None:
            return self.redirect("/login?next=" + quote(self.path, safe=""))
        now = int(time.time())
        claims = {
            "iss": f"{APP_URL}/",
            "aud": f"{WAYHOME_URL}/",
            "iat": now,
            "exp": now + 60,
            "jti": str(uuid.uuid4()),
            "nonce": nonce,
            "email": email,
            "name": PEOPLE[email],
        }
        self.redirect(f"{redirect_uri}&access_token={jwt.encode(claims, HANDOFF_SECRET, algorithm='HS256')}")

    def log_out(self):
        """Ends our session, then goes where the router's sign-out goes on, and nowhere else."""
        sessions.pop(self.session_id(), None)
        return_to = self.param("return_to")
        allowed = return_to.startswith(f"{WAYHOME_URL}/logout/") and re.fullmatch(r"[\x21-\x7e]+", return_to)
        self.redirect(return_to if allowed else "/")

    def log_in(self):
        length = self.headers.get("Content-Length", "")
        if not re.fullmatch(r"[0-9]{1,4}", length):
            return self.page(413, "Too large.")
        form = parse_qs(self.rfile.read(int(length)).decode("utf-8", "replace"))
        email = form.get("email", [""])[0]
        if email not in PEOPLE or form.get("password", [""])[0] != PASSWORD:
            return self.login_page()
        session_id = secrets.token_urlsafe(16)
        sessions[session_id] = email
        self.redirect(self.next(), {"Set-Cookie": f"app_session={session_id}; Path=/; HttpOnly; SameSite=Lax"})

    def login_page(self):
        people = ", ".join(PEOPLE)
        self.page(200, LOGIN_PAGE.format(next=quote(self.next(), safe=""), people=people, password=PASSWORD))

    def home(self):
        name = PEOPLE.get(sessions.get(self.session_id()))
        signed_in = f'<p>Signed in as {name}. <a href="/logout">Sign out</a></p>'
        self.page(200, signed_in if name else '<p><a href="/login">Sign in</a></p>')

    def nothing(self):
        self.page(404, "Nothing here.")

    def next(self):
        """Where a login goes on: an address that is not one of ours would be an open redirect."""
        where = self.param("next")
        return where if re.fullmatch(r"/sso/support\?[\x21-\x7e]*", where) else "/"

    def param(self, name):
        return parse_qs(urlsplit(self.path).query).get(name, [""])[0]

    def session_id(self):
        try:
            cookie = SimpleCookie(self.headers.get("Cookie", "")).get("app_session")
        except CookieError:
            return ""
        return cookie.value if cookie else ""

    def redirect(self, location, headers=None):
        self.page(303, "", {"Location": location, **(headers or {})})

    def page(self, status, body, headers=None):
        content = body.encode()
        self.send_response(status)
        always = {"Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
        for name, value in {**always, "Content-Length": str(len(content)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_request(self, code="-", size="-"):
        """Says nothing: the addresses hold tokens."""


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", PORT), App)
    print(f"{APP_URL}/", flush=True)
    server.serve_forever()
