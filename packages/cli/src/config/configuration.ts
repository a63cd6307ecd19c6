import type { OperatorWord, RunOptions, RuntimeKind } from '@openshell/sandbox';

/** What the operator of a machine has said once for every run. */
export interface Configuration extends OperatorWord {
  /** For the runs whose policy, or which themselves, bind them to something. */
  readonly credentials: RunOptions['grants']['credentials'];
  readonly routes: RunOptions['grants']['routes'];
  readonly runtime?: RuntimeKind;
}

/** What holds where there is no file. */
export const noConfiguration: Configuration = {
  resolve: [],
  upstreamCa: [],
  clientCertificates: [],
  middlewares: [],
  credentials: [],
  routes: [],
};
