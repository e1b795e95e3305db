import { type CommandEntry } from './command.js';

/** The commands of `npx nest-k8s-auth`, in the order in which `--help` lists them. Each one is loaded on first use. */
export const commands: readonly CommandEntry[] = [
  {
    name: 'dev',
    summary: 'run your own service without a cluster',
    load: () => import('./dev/dev.command.js'),
  },
  {
    name: 'doctor',
    summary: 'check what the configuration of a service needs',
    load: () => import('./doctor/doctor.command.js'),
  },
  {
    name: 'explain',
    summary: 'show every check of a token',
    load: () => import('./explain/explain.command.js'),
  },
  {
    name: 'routes',
    summary: 'print the routes of an application and their audiences, for doctor --manifests',
    load: () => import('./routes/routes.command.js'),
  },
];
