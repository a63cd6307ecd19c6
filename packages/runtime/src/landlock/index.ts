export {
  type LandlockPath,
  type LandlockPlan,
  type LandlockPlanOptions,
  type LandlockRule,
  landlockPlan,
} from './plan.ts';
export { type LandlockCompatibility, type LandlockGap, landlockRequirement } from './requirement.ts';
export type { LandlockAccess, LandlockKind } from './rights.ts';
