/** An installation in a process of its own: its options are the one argument, what it hears is a line of JSON each. */
import { type InstallationOptions, openInstallation } from './installation.ts';

const options = JSON.parse(process.argv[2] ?? '') as InstallationOptions;
await openInstallation(options, (heard) => console.log(JSON.stringify(heard)));
console.log('listening');
