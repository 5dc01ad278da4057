const BYTES_PER = { kB: 1024, MB: 1024 * 1024 } as const;

export const SIZE_PATTERN = /^([1-9][0-9]{0,3})(kB|MB)$/;

/** `64kB`, `10MB` → bytes, 1024 of them in a kB; `undefined` for anything else. */
export function parseSize(text: string): number | undefined {
  const [, amount, unit] = SIZE_PATTERN.exec(text) ?? [];
  return amount && unit ? Number(amount) * BYTES_PER[unit as keyof typeof BYTES_PER] : undefined;
}
