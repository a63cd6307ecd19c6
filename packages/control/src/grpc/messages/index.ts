export { present } from './absent.ts';
export { authorityFrom, authorityTo } from './authority.ts';
export { eventFrom, eventTo, queryFrom, queryTo } from './events.ts';
export { answerFrom, answerTo, questionFrom, questionTo } from './explain.ts';
export { appliedFrom, appliedTo, orderFrom, orderTo } from './generation.ts';
export { connectFrom, connectTo, endFrom, endTo, helloFrom, helloTo } from './hello.ts';
export { narrow, wide } from './numbers.ts';
export { statusFrom, statusTo } from './status.ts';
export { reportFrom, reportTo, tenantFrom, tenantTo } from './tenant.ts';
