/*
 * What a workspace's own service (`infra/<name>/service.ts`) is written with. A service describes; it never runs anything.
 */

export { z } from 'zod';
export type { Change, Impact, PutArtifact } from './engine/change.ts';
export { type Command, type CommandResult, read, script, showCommand, write, writeFile } from './engine/command.ts';
export {
  CommandError,
  commandFailed,
  InputError,
  lastLines,
  MooringError,
  mustSucceed,
  SafetyError,
  UnhealthyError,
} from './engine/errors.ts';
export type { Fact, FactSet } from './engine/fact.ts';
export { joinSecret, reveal, Secret, secretText } from './engine/secret.ts';
export { secretReference } from './engine/secret-reference.ts';
export {
  type ArtifactSpec,
  type Connect,
  type Desired,
  defineService,
  defineStage,
  type Fetch,
  fillIn,
  type Health,
  type Service,
  type ServiceContext,
  type Stage,
} from './engine/service.ts';
export { addBackports, addSource, installedPackages, installMissing, installPackages } from './services/apt.ts';
export { type Listener, listeners, type Program, refuseTakenPorts, type WantedPort } from './services/listeners.ts';
export {
  type Access,
  type Found,
  type FoundFiles,
  type Handling,
  type Managed,
  type ManagedFile,
  placeChecked,
  planFile,
  planFiles,
} from './services/managed-file.ts';
export { managedFiles } from './services/managed-look.ts';
export { type FoundUnit, type ManagedUnit, managedUnit, planUnit, type TimedUnit, unread } from './services/managed-unit.ts';
export { bringUp, type UnitState, unitState } from './services/systemd.ts';
export { type Conversation, healthOverTcp, portIsOpen } from './services/tcp.ts';
export { judged, REFUSED, type Trial, type TrialOptions, trial } from './services/trial.ts';
