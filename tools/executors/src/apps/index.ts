/*
 * What is done inside a guest over SSH. `appService` describes setting it up, in the same terms as a service of the data tier, so that the
 * same verbs plan, apply and verify it. Deploying is apart: its plan is a function of the releases that are there and of the commit.
 */

export { headFact, releasesFact } from './deploy/commands.ts';
export { type DeployFacts, type DeployRequest, planDeploy, planRollback, type ReleasePlan, refuseRest } from './deploy/plan.ts';
export { type Release, type ReleaseState, type Releases, showRelease } from './deploy/release.ts';
export { appService } from './service.ts';
export {
  type AppSettings,
  applicationFields,
  appSettings,
  type Job,
  type NodeSettings,
  type PythonSettings,
  type Variables,
} from './settings.ts';
