/** The one word on the command line of a worker. Only the first process starts one, which has a channel to it. */
export const WORKER_WORD = '--worker';
