<?php
/**
 * A community that takes jsConnect 3, written from the article "Implement the jsConnect v3 protocol". No library.
 *
 * Reads {secret, client_id, state, now, attempts: [{url}]} on standard input; answers for each attempt who was signed
 * in, that nobody is, or why it was refused.
 */
function part(string $text): string
{
    return base64_decode(strtr($text, '-_', '+/'), true) ?: '';
}

function sign_in(array $asked, string $url): array
{
    // The browser's script reads the fragment and hands it on.
    parse_str(parse_url($url, PHP_URL_FRAGMENT) ?? '', $fragment);
    $parts = explode('.', $fragment['jwt'] ?? '');
    if (count($parts) !== 3) {
        return ['no' => 'no token'];
    }
    [$head, $body, $signature] = $parts;
    $header = json_decode(part($head), true);
    if (($header['alg'] ?? '') !== 'HS256') {
        return ['no' => 'alg'];
    }
    if (($header['kid'] ?? '') !== $asked['client_id']) {
        return ['no' => 'kid'];
    }
    if (!hash_equals(hash_hmac('sha256', "$head.$body", $asked['secret'], true), part($signature))) {
        return ['no' => 'signature'];
    }
    $claims = json_decode(part($body), true);
    if (!is_string($claims['v'] ?? null)) {
        return ['no' => 'v'];
    }
    if ($claims['iat'] > $asked['now'] || $claims['exp'] <= $asked['now'] || $claims['exp'] - $claims['iat'] > 600) {
        return ['no' => 'times'];
    }
    if (($claims['st'] ?? null) !== $asked['state']) {
        return ['no' => 'st'];
    }
    if (!array_key_exists('u', $claims)) {
        return ['no' => 'u'];
    }
    // An empty object is a list in PHP; it has to be one in the text, too.
    if ($claims['u'] === []) {
        return str_contains(part($body), '"u":{}') ? ['yes' => 'a guest'] : ['no' => 'u is no object'];
    }
    return isset($claims['u']['id'], $claims['u']['email']) ? ['yes' => $claims['u']] : ['no' => 'id or email'];
}

$asked = json_decode(stream_get_contents(STDIN), true);
echo json_encode(array_map(fn ($attempt) => sign_in($asked, $attempt['url']), $asked['attempts']));
