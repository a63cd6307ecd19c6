import type { ControllerHello } from '../contract/proxy-control.ts';
import { checkName, invalid, isCount } from './words.ts';

export function checkHello({ name, protocol, role }: ControllerHello): void {
  checkName("The controller's name", name);
  if (role !== 'controller' && role !== 'observer')
    throw invalid('The role is neither "controller" nor "observer"');
  const { min, max } = protocol;
  if (!isCount(min) || !isCount(max) || min < 1 || max < min)
    throw invalid(
      'The range of protocol versions is not one: both ends count from 1, and the first is not above the last',
    );
}
