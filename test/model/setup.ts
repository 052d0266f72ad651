import { modelTime } from './time.ts';

// Of the process that a verb runs in, all but its timers is handed to the verb (process.ts).
modelTime();
