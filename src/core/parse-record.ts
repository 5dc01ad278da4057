import type { DecisionRecord, Remembered, Values } from './record.ts';

/** One line of recorded decisions → the record; `undefined` for anything else. Names are looked up, never trusted. */
export function parseRecord(line: string): DecisionRecord | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(line);
  } catch {
    return undefined;
  }
  return isObject(parsed) && isRecord(parsed) ? (parsed as unknown as DecisionRecord) : undefined;
}

type Fields = Readonly<Record<string, unknown>>;

function isRecord({ version, day, portal, query, return_query, headers, remembered, ...rest }: Fields): boolean {
  return (
    version === 1 &&
    isText(day) &&
    /^\d{4}-\d{2}-\d{2}$/.test(day) &&
    !Number.isNaN(Date.parse(day)) &&
    isText(portal) &&
    [query, return_query, headers].every(isValues) &&
    [rest.host, rest.choice, rest.email].every(isAbsentOr(isText)) &&
    [rest.language, rest.client].every(isAbsentOr(isTextOrNull)) &&
    (remembered === undefined || remembered === null || isRemembered(remembered)) &&
    (rest.ask === undefined || rest.ask === 'email' || rest.ask === 'picker') &&
    (rest.tried === undefined || (Array.isArray(rest.tried) && rest.tried.every(isText))) &&
    isObject(rest.decided) &&
    [rest.decided.environment, rest.decided.page, rest.decided.by].every(isAbsentOr(isText)) &&
    isText(rest.decided.reason)
  );
}

const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isText = (value: unknown): value is string => typeof value === 'string';
const isTextOrNull = (value: unknown): value is string | null => value === null || isText(value);
const isAbsentOr = (is: (value: unknown) => boolean) => (value: unknown) => value === undefined || is(value);
const isValues = (value: unknown): value is Values => isObject(value) && Object.values(value).every(isTextOrNull);
const isRemembered = (value: unknown): value is Remembered =>
  isObject(value) && isText(value.environment) && Number.isSafeInteger(value.age);
