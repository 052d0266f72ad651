import { openHost } from '../../tools/executors/src/hosts/index.ts';
import { hostContract } from './host.contract.ts';

hostContract('local', () => openHost({ host: 'local' }));
