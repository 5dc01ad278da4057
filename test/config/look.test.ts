import t from 'tap';
import { contrast, DARK_CARD, LIGHT_CARD } from '../../src/config/branding-rules.ts';
import { accepted, checkText, faultsOf, goodWith, refused } from './routes-text.ts';

const SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 4 4"/>';
const PNG = Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), Buffer.alloc(20)]);

const withIcon = goodWith(['  us:\n', '  us:\n    group: Regions\n    icon: { file: icons/us.svg }\n']);
const withBranding = (keys: string) => goodWith(['discovery:', `branding: { name: Acme, ${keys} }\ndiscovery:`]);

t.test('a picture is an SVG or a PNG of at most 16 KiB', (t) => {
  const path = 'environments.us.icon.file';
  for (const [what, content, faults] of [
    ['an SVG', SVG, []],
    [
      'an SVG with all that may stand before it',
      `\ufeff<?xml version="1.0"?>\n<!-- a > b -->\n<!DOCTYPE svg>\n${SVG}`,
      [],
    ],
    ['a PNG', PNG, []],
    ['as much as is taken', `${SVG}${' '.repeat(16 * 1024 - SVG.length)}`, []],
    [
      'one byte more',
      `${SVG}${' '.repeat(16 * 1024 - SVG.length + 1)}`,
      [`${path}: the picture is larger than 16 KiB`],
    ],
    ['a page', `<!doctype html><body>${SVG}`, [`${path}: this is neither PNG nor SVG`]],
    ['an SVG that no browser draws', '<svg viewBox="0 0 4 4"/>', [`${path}: this is neither PNG nor SVG`]],
    ['a JPEG', Buffer.from('ffd8ffe000104a464946', 'hex'), [`${path}: this is neither PNG nor SVG`]],
    ['nothing', '', [`${path}: this is neither PNG nor SVG`]],
  ] as const) {
    const outcome = checkText(withIcon, { files: { 'icons/us.svg': content } });
    t.same(faultsOf(outcome), faults, what);
  }
  t.same(faultsOf(checkText(withIcon)), [`${path}: the file cannot be read (ENOENT)`]);
  t.end();
});

t.test('what is right comes out: group, icon, name, logo and colours', (t) => {
  const uri = `data:image/svg+xml;base64,${Buffer.from(SVG).toString('base64')}`;
  const { routes } = accepted(checkText(withIcon, { files: { 'icons/us.svg': SVG } }));
  const [us, eu] = [...routes.environments.values()];
  t.match(us, { icon: uri, environment: { group: 'Regions' } });
  t.notOk('icon' in (eu ?? {}) || 'group' in (eu?.environment ?? {}));
  t.notOk('branding' in routes);

  const text = withBranding('logo: { file: logo.svg }, accent: "#1F5FBF", accent_dark: "#8ab8ff"');
  const branded = accepted(checkText(text, { files: { 'logo.svg': SVG } })).routes;
  t.same(branded.branding, { name: 'Acme', logo: uri, accent: '#1F5FBF', accentDark: '#8ab8ff' });
  t.end();
});

t.test('a picture of an included environment stands beside its own file, and its fault in it', (t) => {
  const text = goodWith(['discovery:', 'include: environments.d/*.yaml\ndiscovery:']);
  const entry = `app_url: https://one.acme.com/
icon: { file: one.svg }
login: { protocol: handoff, url: "https://one.acme.com/sso", issuer: one, algorithms: [HS256], secret: { env: OTHER } }
may_assert: { email_domains: [one.example] }
`;
  const files = { 'environments.d/one.yaml': entry, 'environments.d/one.svg': SVG };
  const { routes } = accepted(checkText(text, { files }));
  t.match([...routes.environments.values()].at(-1), { environment: { name: 'one' }, icon: /^data:image\/svg/ });
  const [problem] = refused(checkText(text, { files: { ...files, 'environments.d/one.svg': 'none' } }));
  t.match(problem, { file: 'environments.d/one.yaml', line: 2, message: 'this is neither PNG nor SVG' });
  t.end();
});

t.test('an accent that cannot be read is a fault, and the remedy names a shade that can', (t) => {
  for (const [keys, path, card] of [
    ['accent: "#8ab8ff"', 'branding.accent', LIGHT_CARD],
    ['accent: "#777777"', 'branding.accent', LIGHT_CARD],
    ['accent: "#ffff00"', 'branding.accent', LIGHT_CARD],
    ['accent_dark: "#1f5fbf"', 'branding.accent_dark', DARK_CARD],
    ['accent_dark: "#000000"', 'branding.accent_dark', DARK_CARD],
  ] as const) {
    const [problem, ...others] = refused(checkText(withBranding(keys)));
    t.same(others, []);
    t.equal(problem?.path, path);
    t.match(problem?.message, /^has a contrast of \d+\.\d:1 with /, keys);
    const [shade = ''] = /#[0-9a-f]{6}(?=")/.exec(problem?.remedy ?? '') ?? [];
    t.ok(contrast(shade, card) >= 4.5, `${keys}: ${shade}`);
    t.same(faultsOf(checkText(withBranding(keys.replace(/#\w+/, shade)))), [], 'what the remedy says is taken');
  }
  t.same(faultsOf(checkText(withBranding('accent: "#767676"'))), [], 'the lightest grey that WCAG lets pass on white');
  t.end();
});

t.test('a colour is six hexadecimal digits in quotes', (t) => {
  for (const colour of ['red', '"#fff"', '"#1f5fbf;}"', '"#1f5fbf00"', '1234567', 'null']) {
    t.same(faultsOf(checkText(withBranding(`accent: ${colour}`))), ['branding.accent: must be a colour'], colour);
  }
  t.same(faultsOf(checkText(goodWith(['discovery:', 'branding: { accent: "#1f5fbf" }\ndiscovery:']))), [
    'branding.name: required, and missing',
  ]);
  t.same(faultsOf(checkText(goodWith(['  us:\n', '  us:\n    icon: us.svg\n']))), [
    'environments.us.icon: must name a file',
  ]);
  t.end();
});

t.test('contrast is measured as WCAG does', (t) => {
  for (const [one, other, ratio] of [
    ['#000000', '#ffffff', 21],
    ['#ffffff', '#ffffff', 1],
    ['#777777', '#ffffff', 4.48],
    ['#ff0000', '#ffffff', 4],
    ['#0000ff', '#ffffff', 8.59],
  ] as const) {
    t.equal(Math.round(contrast(one, other) * 100) / 100, ratio, one);
    t.equal(contrast(one, other), contrast(other, one));
  }
  t.end();
});
