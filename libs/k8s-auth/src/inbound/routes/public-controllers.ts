import { type Type } from '@nestjs/common';
import { describeError } from '../../util/log.js';
import { type RouteClass } from './controller-class.js';

/** The value of option `publicControllers`. */
export type PublicControllersOption = readonly Type[] | ((controller: Type) => boolean);

/** A registered controller in a module that the root serves. */
interface Candidate {
  readonly isListed: boolean;
  isOpened: boolean;
}

/**
 * The controllers whose undecorated routes are public, by option `publicControllers` of one root. Classes are compared by
 * identity, so the option opens no subclass. It never opens a route that has a decorator of this library.
 * @internal
 */
export class PublicControllers {
  private readonly candidates = new Map<RouteClass, Candidate>();
  private readonly wrongResults: string[] = [];

  constructor(private readonly option: PublicControllersOption = []) {}

  /** Call this for each registered controller. */
  noteController(routeClass: RouteClass): void {
    if (!this.candidates.has(routeClass))
      this.candidates.set(routeClass, { isListed: this.isListed(routeClass), isOpened: false });
  }

  /** Whether an undecorated route of this controller is public. */
  open(routeClass: RouteClass): boolean {
    const candidate = this.candidates.get(routeClass);
    if (!candidate?.isListed) return false;
    candidate.isOpened = true;
    return true;
  }

  /** Call this when all controllers are compiled. An entry without effect is a mistake: the user expects an open route. */
  findMistakes(): string[] {
    const listed = typeof this.option === 'function' ? [] : this.option;
    const mistakes = listed.flatMap((one) => {
      const candidate = this.candidates.get(one);
      if (!candidate)
        return [`expected ${one.name} among the controllers of the modules that this K8sAuthModule serves`];
      return candidate.isOpened
        ? []
        : [`expected no ${one.name}, because each of its routes has @K8sAuth or @Public`];
    });
    return [...mistakes, ...this.wrongResults].map((mistake) => `option 'publicControllers': ${mistake}`);
  }

  private isListed(routeClass: RouteClass): boolean {
    if (typeof this.option !== 'function') return this.option.includes(routeClass as Type);
    const expected = `expected the function to return true or false for ${routeClass.name}`;
    try {
      const result: unknown = this.option(routeClass as Type);
      if (typeof result !== 'boolean') this.wrongResults.push(expected);
      return result === true;
    } catch (error) {
      this.wrongResults.push(`${expected}, but it threw: ${describeError(error)}`);
      return false;
    }
  }
}
