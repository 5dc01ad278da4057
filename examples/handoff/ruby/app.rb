# An application with people of its own, and the one endpoint that lets Wayhome's support portal know them.
require 'jwt'
require 'securerandom'
require 'uri'
require 'webrick'

PORT = Integer(ENV.fetch('PORT', '4501'))
WAYHOME_URL = ENV.fetch('WAYHOME_URL', 'http://localhost:8080')
ENVIRONMENT = ENV.fetch('ENVIRONMENT', 'us')
HANDOFF_SECRET = ENV.fetch('HANDOFF_SECRET', '')
APP_URL = ENV.fetch('APP_URL', "http://127.0.0.1:#{PORT}")
abort 'HANDOFF_SECRET has to have 32 bytes or more (RFC 7518 §3.2)' if HANDOFF_SECRET.bytesize < 32

# Stand-ins for your own people, sessions and login page.
PASSWORD = 'wayhome'
PEOPLE = { 'ada@acme.example' => 'Ada Byron', 'grace@acme.example' => 'Grace Hopper' }.freeze
SESSIONS = {}

# The only address that a token may leave for: the router's return address for us, with a state and nothing else.
def return_address?(redirect_uri)
  address = "#{WAYHOME_URL}/return/#{ENVIRONMENT}?state="
  redirect_uri.start_with?(address) && redirect_uri.delete_prefix(address).match?(/\A[A-Za-z0-9_.-]+\z/)
end

def token_for(email, nonce)
  now = Time.now.to_i
  claims = {
    iss: "#{APP_URL}/", aud: "#{WAYHOME_URL}/", iat: now, exp: now + 60, jti: SecureRandom.uuid, nonce: nonce,
    email: email, name: PEOPLE.fetch(email)
  }
  JWT.encode(claims, HANDOFF_SECRET, 'HS256', { typ: 'JWT' })
end

# GET /sso/support: the router asks who this is. Whoever is not signed in does that first, and comes back here.
def hand_off(request, response)
  redirect_uri, nonce = request.query.values_at('redirect_uri', 'nonce').map(&:to_s)
  unless return_address?(redirect_uri) && !nonce.empty?
    response.status = 400
    return response.body = 'This redirect_uri is not the router’s.'
  end
  email = SESSIONS[session_id(request)]
  return redirect(response, "/login?next=#{URI.encode_www_form_component(request.unparsed_uri)}") unless email

  redirect(response, "#{redirect_uri}&access_token=#{token_for(email, nonce)}")
end

# GET /logout: ends our session, then goes where the router's sign-out goes on, and nowhere else.
def log_out(request, response)
  SESSIONS.delete(session_id(request))
  return_to = request.query['return_to'].to_s
  allowed = return_to.start_with?("#{WAYHOME_URL}/logout/") && return_to.match?(/\A[\x21-\x7e]+\z/)
  redirect(response, allowed ? return_to : '/')
end

def log_in(request, response)
  where = next_of(request)
  return login_page(response, where) if request.request_method != 'POST'

  email, password = request.query.values_at('email', 'password').map(&:to_s)
  return login_page(response, where) unless PEOPLE.key?(email) && password == PASSWORD

  id = SecureRandom.urlsafe_base64(16)
  SESSIONS[id] = email
  response['Set-Cookie'] = "app_session=#{id}; Path=/; HttpOnly; SameSite=Lax"
  redirect(response, where)
end

# Where a login goes on: an address that is not one of ours would be an open redirect.
def next_of(request)
  where = URI.decode_www_form(request.query_string.to_s).to_h['next'].to_s
  where.match?(%r{\A/sso/support\?[\x21-\x7e]*\z}) ? where : '/'
end

def login_page(response, where)
  response.body = <<~HTML
    <form method="post" action="/login?next=#{URI.encode_www_form_component(where)}">
    <p>People: #{PEOPLE.keys.join(', ')}. Password: #{PASSWORD}.</p>
    <label>Email <input name="email" type="email" required></label>
    <label>Password <input name="password" type="password" required></label>
    <button>Sign in</button></form>
  HTML
end

def home(request, response)
  return response.status = 404 unless request.path == '/'

  name = PEOPLE[SESSIONS[session_id(request)]]
  signed_in = "<p>Signed in as #{name}. <a href=\"/logout\">Sign out</a></p>"
  response.body = name ? signed_in : '<p><a href="/login">Sign in</a></p>'
end

def session_id(request)
  request.cookies.find { |cookie| cookie.name == 'app_session' }&.value
end

# Not response.set_redirect: it would write the address, token included, into a page.
def redirect(response, location)
  response.status = 303
  response['Location'] = location
end

# No access log: the addresses hold tokens.
server = WEBrick::HTTPServer.new(
  BindAddress: '127.0.0.1', Port: PORT, AccessLog: [], Logger: WEBrick::Log.new($stderr, WEBrick::Log::WARN)
)
{ '/' => :home, '/sso/support' => :hand_off, '/login' => :log_in, '/logout' => :log_out }.each do |path, page|
  server.mount_proc(path) do |request, response|
    response['Content-Type'] = 'text/html; charset=utf-8'
    response['Cache-Control'] = 'no-store'
    response['Referrer-Policy'] = 'no-referrer'
    send(page, request, response)
  end
end
%w[INT TERM].each { |signal| trap(signal) { server.shutdown } }
$stdout.puts "#{APP_URL}/"
$stdout.flush
server.start
