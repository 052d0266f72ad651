import { FORM, formOfNotes, migrate } from './store.js';

const before = await formOfNotes();
if (before > FORM) {
  console.error(`the notes have form ${before}, and this release knows ${FORM}`);
  process.exit(1);
}
await migrate();
console.log(`the notes have form ${FORM}${before === FORM ? ' already' : ''}`);
