/** Carries objects between two processes of one proxy, in order; nobody else can read it. */
export interface Channel {
  /** What is sent after the end is lost. */
  send(message: object): void;
  /** Called once, before anything arrives. */
  receive(listener: (message: unknown) => void): void;
  /** The other side has ended, or this one has closed it. */
  readonly closed: Promise<void>;
  close(): void;
}
