/** The field of every response that says under which id its request or connection is in the events. */
export const TRACE_FIELD = 'X-OpenShell-Trace-Id';
