/** Contract only for now; see keys.ts. */
export type CompactToken = {
  readonly text: string;
  readonly header: { readonly alg: string; readonly kid?: string };
  readonly claims: Readonly<Record<string, unknown>>;
  readonly signingInput: string;
  readonly signature: Buffer;
};
