/** A line of the table of targets. A figure is reached when it is at most its target. */
export type Row = {
  readonly figure: string;
  readonly unit: '×' | 'B' | 'MiB' | 's';
  readonly measured: number;
  readonly first: number;
  readonly aim: number;
  readonly reached: 'aim' | 'first' | 'no';
};

export function row(figure: string, unit: Row['unit'], value: number, first: number, aim: number): Row {
  const measured = rounded(value);
  return { figure, unit, measured, first, aim, reached: measured <= aim ? 'aim' : measured <= first ? 'first' : 'no' };
}

/** Two decimals, whole numbers from 100 on: more than that is not repeatable. */
const rounded = (value: number): number => (value >= 100 ? Math.round(value) : Math.round(value * 100) / 100);
