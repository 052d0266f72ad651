import { openHost } from '../../tools/executors/src/hosts/index.ts';
import { hostContract } from './host.contract.ts';
import { stateContract } from './state.contract.ts';

hostContract('local', () => openHost({ host: 'local' }));
stateContract('local', () => openHost({ host: 'local' }));
