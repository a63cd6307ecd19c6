/** What tests read of a security event. */
export interface ReadEvent {
  readonly class_uid: number;
  readonly message?: string;
  readonly status_detail?: string;
  readonly http_request?: { readonly http_method: string; readonly url: { readonly path: string } };
  readonly http_response?: { readonly code: number };
}

const HTTP_ACTIVITY = 4002;

/** The events about requests in the text of an `--events` file. */
export const httpEvents = (text: string): ReadEvent[] =>
  text
    .split('\n')
    .filter(Boolean)
    .map((line): ReadEvent => JSON.parse(line))
    .filter(({ class_uid }) => class_uid === HTTP_ACTIVITY);
