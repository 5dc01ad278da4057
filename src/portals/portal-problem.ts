export type Path = readonly (string | number)[];

/** One fault; `path` leads from the root of the file (or of the portal's settings) to the value. */
export type PortalProblem = { readonly path: Path; readonly message: string };

export type Report = (path: Path, message: string) => void;
