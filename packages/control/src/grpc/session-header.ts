/** The request header (metadata) that says in which session a call is made. */
export const SESSION_HEADER = 'openshell-session';
