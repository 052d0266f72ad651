import { killedEverywhere } from './killed.ts';
import { onTwoHosts } from './process.ts';

// What has an order across hosts; the others are as on one.
killedEverywhere(onTwoHosts, [
  'the first deploy',
  'a deploy of a second release',
  'a deploy that prunes',
  'a prune by its rules',
  'a roll-back of one container',
]);
