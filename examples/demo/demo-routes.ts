import { copyFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { movePorts, type Ports } from './ports.ts';

/**
 * routes.yaml with the files of portals/ put below its `portals`, and beside it those of environments/ and a preset of
 * our own: all moved to the chosen ports and into this folder. Resolves to the path.
 */
export async function writeRoutes(folder: string, ports: Ports): Promise<string> {
  const here = (path: string): URL => new URL(path, import.meta.url);
  const read = async (address: URL): Promise<string> => movePorts(await readFile(address, 'utf8'), ports);
  await mkdir(join(folder, 'environments.d'));
  for (const name of await readdir(here('environments/'))) {
    await writeFile(join(folder, 'environments.d', name), await read(here(`environments/${name}`)));
  }
  await copyFile(here('../pylonsync/downstream.yaml'), join(folder, 'downstream.yaml'));
  const portals: string[] = [];
  for (const name of await readdir(here('portals/'))) {
    const text = await read(here(`portals/${name}`));
    portals.push(`  ${basename(name, '.yaml')}:\n${text.replaceAll(/^(?=.)/gm, '    ')}`);
  }
  const routes = await read(here('../../routes.yaml'));
  const file = join(folder, 'routes.yaml');
  const whole = routes.replace(/^portals:\n/m, (line) => line + portals.join(''));
  await writeFile(file, `${whole}\ninclude: environments.d/*.yaml\n`);
  return file;
}
