// An application with people of its own, and the one endpoint that lets Wayhome's support portal know them.
package main

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"log"
	"net"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v4"
)

var (
	port        = setting("PORT", "4501")
	wayhomeURL  = setting("WAYHOME_URL", "http://localhost:8080")
	environment = setting("ENVIRONMENT", "us")
	secret      = []byte(setting("HANDOFF_SECRET", ""))
	appURL      = setting("APP_URL", "http://127.0.0.1:"+port)
)

// Stand-ins for your own people, sessions and login page.
const password = "wayhome"

var (
	people   = map[string]string{"ada@acme.example": "Ada Byron", "grace@acme.example": "Grace Hopper"}
	sessions sync.Map
)

const loginPage = `<form method="post" action="/login?next=%s">
<p>People: ada@acme.example, grace@acme.example. Password: %s.</p>
<label>Email <input name="email" type="email" required></label>
<label>Password <input name="password" type="password" required></label>
<button>Sign in</button></form>`

var (
	stateOnly = regexp.MustCompile(`^[A-Za-z0-9_.-]+$`)
	printable = regexp.MustCompile(`^[\x21-\x7e]+$`)
)

// isReturnAddress tells the only address that a token may leave for: the router's return address for us, with a
// state and nothing else.
func isReturnAddress(redirectURI string) bool {
	address := wayhomeURL + "/return/" + environment + "?state="
	return strings.HasPrefix(redirectURI, address) && stateOnly.MatchString(redirectURI[len(address):])
}

// handOff answers GET /sso/support: the router asks who this is. Whoever is not signed in does that first, and comes
// back here.
func handOff(w http.ResponseWriter, r *http.Request) {
	redirectURI, nonce := r.URL.Query().Get("redirect_uri"), r.URL.Query().Get("nonce")
	if !isReturnAddress(redirectURI) || nonce == "" {
		http.Error(w, "This redirect_uri is not the router’s.", http.StatusBadRequest)
		return
	}
	email := signedIn(r)
	if email == "" {
		redirect(w, "/login?next="+url.QueryEscape(r.URL.RequestURI()))
		return
	}
	now := time.Now().Unix()
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{
		"iss":   appURL + "/",
		"aud":   wayhomeURL + "/",
		"iat":   now,
		"exp":   now + 60,
		"jti":   randomID(),
		"nonce": nonce,
		"email": email,
		"name":  people[email],
	}).SignedString(secret)
	if err != nil {
		http.Error(w, "The token could not be signed.", http.StatusInternalServerError)
		return
	}
	redirect(w, redirectURI+"&access_token="+token)
}

// logOut answers GET /logout: it ends our session, then goes where the router's sign-out goes on, and nowhere else.
func logOut(w http.ResponseWriter, r *http.Request) {
	if cookie, err := r.Cookie("app_session"); err == nil {
		sessions.Delete(cookie.Value)
	}
	returnTo := r.URL.Query().Get("return_to")
	if !strings.HasPrefix(returnTo, wayhomeURL+"/logout/") || !printable.MatchString(returnTo) {
		returnTo = "/"
	}
	redirect(w, returnTo)
}

func logIn(w http.ResponseWriter, r *http.Request) {
	next := nextOf(r)
	r.Body = http.MaxBytesReader(w, r.Body, 10_000)
	email := r.PostFormValue("email")
	if _, known := people[email]; r.Method != http.MethodPost || !known || r.PostFormValue("password") != password {
		fmt.Fprintf(w, loginPage, url.QueryEscape(next), password)
		return
	}
	id := randomID()
	sessions.Store(id, email)
	http.SetCookie(w, &http.Cookie{Name: "app_session", Value: id, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode})
	redirect(w, next)
}

// nextOf tells where a login goes on: an address that is not one of ours would be an open redirect.
func nextOf(r *http.Request) string {
	next := r.URL.Query().Get("next")
	if strings.HasPrefix(next, "/sso/support?") && printable.MatchString(next) {
		return next
	}
	return "/"
}

func home(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/" {
		http.NotFound(w, r)
	} else if name := people[signedIn(r)]; name != "" {
		fmt.Fprintf(w, `<p>Signed in as %s. <a href="/logout">Sign out</a></p>`, name)
	} else {
		fmt.Fprint(w, `<p><a href="/login">Sign in</a></p>`)
	}
}

func signedIn(r *http.Request) string {
	cookie, err := r.Cookie("app_session")
	if err != nil {
		return ""
	}
	email, _ := sessions.Load(cookie.Value)
	text, _ := email.(string)
	return text
}

// redirect does without http.Redirect, which would write the address, token included, into a page.
func redirect(w http.ResponseWriter, location string) {
	w.Header().Set("Location", location)
	w.WriteHeader(http.StatusSeeOther)
}

func randomID() string {
	bytes := make([]byte, 16)
	if _, err := rand.Read(bytes); err != nil {
		log.Fatal(err)
	}
	return hex.EncodeToString(bytes)
}

func setting(name, otherwise string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return otherwise
}

func main() {
	if len(secret) < 32 {
		log.Fatal("HANDOFF_SECRET has to have 32 bytes or more (RFC 7518 §3.2)")
	}
	pages := http.NewServeMux()
	pages.HandleFunc("/", home)
	pages.HandleFunc("/sso/support", handOff)
	pages.HandleFunc("/login", logIn)
	pages.HandleFunc("/logout", logOut)
	always := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("Referrer-Policy", "no-referrer")
		pages.ServeHTTP(w, r)
	})
	listener, err := net.Listen("tcp", "127.0.0.1:"+port)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(appURL + "/")
	log.Fatal(http.Serve(listener, always))
}
