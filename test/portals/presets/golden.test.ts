/** What every built-in preset makes of its product's request, word for word: golden/<id>.yaml. */
import { readdirSync } from 'node:fs';
import t from 'tap';
import { Refusal } from '../../../src/core/reason.ts';
import { checkSettings } from '../../../src/portals/check-settings.ts';
import { builtInPreset, builtInPresetNames } from '../../../src/portals/load.ts';
import { type GoldenCase, leave, openGolden, type Stage, seen } from './golden.ts';

t.test('every built-in preset has golden cases, and every golden case a preset', (t) => {
  const files = readdirSync(new URL('./golden/', import.meta.url)).map((file) => file.replace(/\.yaml$/, ''));
  t.same(files.sort(), builtInPresetNames());
  t.end();
});

async function outcomeOf(stage: Stage, golden: GoldenCase) {
  try {
    return seen(await leave(stage, golden), stage);
  } catch (error) {
    if (error instanceof Refusal) return { refused: error.reason };
    throw error;
  }
}

for (const id of builtInPresetNames()) {
  const stage = openGolden(id);
  if (!stage) continue;
  t.test(`${stage.preset.title}: what comes in, and what goes out`, async (t) => {
    for (const golden of stage.golden.cases) {
      const { to, form, claims, refused, header = { alg: stage.algorithm, typ: 'JWT' } } = golden;
      const outcome = await outcomeOf(stage, golden);
      const signed = stage.preset.token.format === 'discourse_connect';
      const expected = refused ? { refused } : { to, ...(form && { form }), ...(!signed && { header }), claims };
      t.strictSame(outcome, expected, golden.what);
    }
  });
}

t.test('every built-in preset says what to do in the product’s settings, and when its sources were read', (t) => {
  for (const id of builtInPresetNames()) {
    const preset = builtInPreset(id);
    t.ok(
      preset?.setup?.some((sentence) => sentence.includes('{login_url}')),
      id,
    );
    for (const { seen } of preset?.sources ?? []) t.match(seen, /^2026-11/, id);
  }
  t.end();
});

t.test('the examples of every built-in preset make a portal', (t) => {
  for (const id of builtInPresetNames()) {
    const preset = builtInPreset(id);
    if (!preset) continue;
    const { config, token } = preset;
    const checked = { allowRedirects: [], tokenLifetime: token.lifetime.default, hasPrivateKey: true };
    const required = Object.entries(config).filter(([, rule]) => rule.required);
    for (const rules of [required, Object.entries(config)]) {
      const settings = Object.fromEntries(rules.map(([name, { example }]) => [name, example]));
      t.same(checkSettings(preset, { ...checked, settings, algorithm: token.algs[0] ?? '' }), [], id);
    }
  }
  t.end();
});
