import { dotted, type Path } from './problem.ts';
import { besideFile, type Surroundings } from './secrets.ts';
import { environmentsOf, type Survey } from './survey.ts';

/** data: URIs by the path of their place. */
export type Pictures = ReadonlyMap<string, string>;

/** Bytes. A picture stands in the page itself. */
const LARGEST_PICTURE = 16 * 1024;

const PNG = Buffer.from('89504e470d0a1a0a', 'hex');
const SVG =
  /^\ufeff?\s*(?:(?:<\?[^>]*>|<!--[\s\S]*?-->|<!DOCTYPE[^>]*>)\s*)*<svg\s[^>]*xmlns=["']http:\/\/www\.w3\.org\/2000\/svg["']/;

/**
 * Reads every picture that the file names, and reports what is none. An SVG needs no cleaning: pages show it by
 * `<img>`, where it can neither run scripts nor fetch anything (SVG 2 §2.1.1, secure static mode).
 */
export function readPictures(survey: Survey, surroundings: Surroundings, fileOf: (path: Path) => string): Pictures {
  const pictures = new Map<string, string>();
  // They are for pages only, as secrets are for serving.
  if (surroundings.secrets === 'not_needed') return pictures;
  const read = new Map<string, Picture>();
  const add = (path: Path, file: string | undefined) => {
    if (file === undefined) return;
    const place = besideFile(fileOf(path), file);
    const picture = read.get(place) ?? readPicture(place, surroundings);
    read.set(place, picture);
    if ('uri' in picture) pictures.set(dotted(path), picture.uri);
    else survey.report.fault([...path, 'file'], picture.fault, picture.remedy);
  };
  add(['branding', 'logo'], survey.draft.branding?.logo?.file);
  for (const { path, entry } of environmentsOf(survey)) add([...path, 'icon'], entry.icon?.file);
  return pictures;
}

type Picture = { readonly uri: string } | { readonly fault: string; readonly remedy: string };

function readPicture(place: string, { readFile }: Surroundings): Picture {
  const content = readFile(place);
  if (!Buffer.isBuffer(content)) {
    const remedy = 'The path is relative to the file that names it, and the router’s user must be able to read it.';
    return { fault: `the file cannot be read (${content.error})`, remedy };
  }
  if (content.length > LARGEST_PICTURE) {
    return { fault: 'the picture is larger than 16 KiB', remedy: 'Make it smaller; it stands in the page itself.' };
  }
  const type = content.subarray(0, PNG.length).equals(PNG)
    ? 'image/png'
    : SVG.test(content.toString('utf8'))
      ? 'image/svg+xml'
      : undefined;
  return type === undefined
    ? { fault: 'this is neither PNG nor SVG', remedy: 'An SVG begins with <svg xmlns="http://www.w3.org/2000/svg" …>.' }
    : { uri: `data:${type};base64,${content.toString('base64')}` };
}
