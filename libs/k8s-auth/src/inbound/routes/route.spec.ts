import { describe, expect, it } from '@jest/globals';
import { type AuthorizationRule } from '../../authorization/rules.js';
import { K8sAuth, Public } from '../k8s-auth.decorators.js';
import { type RouteClass } from './controller-class.js';
import { isSamePolicy, policyOf, type RoutePolicy } from './route.js';

const rule = (name: string): AuthorizationRule =>
  Object.defineProperty(() => ({ allowed: true }) as const, 'name', { value: name });
const [r1, r2, r3] = [rule('r1'), rule('r2'), rule('r3')];

/** A short form for tables: `orders[r1,r2]`, `public`, `undecorated`. `*` means the module's audience. */
function shown(routeClass: RouteClass, method = 'plain'): string {
  const policy: RoutePolicy = policyOf(routeClass, method);
  return policy.kind === 'protected'
    ? `${String(policy.audience ?? '*')}[${policy.rules.map(({ name }) => name).join()}]`
    : policy.kind;
}

class Undecorated {
  plain() {}
  @Public() open() {}
  @K8sAuth('items', r2) closed() {}
  @K8sAuth() bare() {}
}

@K8sAuth('orders', r1)
class Guarded {
  plain() {}
  @Public() open() {}
  @K8sAuth('items', r2) closed() {}
  @K8sAuth() bare() {}
  @K8sAuth(undefined, r2) ruled() {}
}

@Public()
class Open {
  plain() {}
  @Public() open() {}
  @K8sAuth('items', r2) closed() {}
}

class GuardedChild extends Guarded {
  own() {}
}
class OpenChild extends Open {
  own() {}
}
@K8sAuth('child', r3)
class GuardedAgain extends Guarded {
  own() {}
  override plain() {}
}
@K8sAuth()
class GuardedByModule extends Guarded {}
@Public()
class OpenedGuarded extends Guarded {
  own() {}
}
class OpenedGuardedChild extends OpenedGuarded {}
@K8sAuth('closed')
class ClosedOpen extends Open {}
class GuardedGrandchild extends GuardedAgain {}

describe('policyOf', () => {
  it.each<[string, RouteClass, string, string]>([
    ['no decorator', Undecorated, 'plain', 'undecorated'],
    ['an open method', Undecorated, 'open', 'public'],
    ['a guarded method', Undecorated, 'closed', 'items[r2]'],
    ['a guarded method without argument', Undecorated, 'bare', '*[]'],
    ['a guarded class', Guarded, 'plain', 'orders[r1]'],
    ['an open method of a guarded class', Guarded, 'open', 'public'],
    ['both guarded: the audience of the method, the rules of both', Guarded, 'closed', 'items[r2,r1]'],
    ["no argument: the module's audience, not that of the class", Guarded, 'bare', '*[r1]'],
    ['no argument, but a rule', Guarded, 'ruled', '*[r2,r1]'],
    ['an open class', Open, 'plain', 'public'],
    ['an open method of an open class', Open, 'open', 'public'],
    ['a guarded method of an open class', Open, 'closed', 'items[r2]'],
    ['a guarded base class, inherited method', GuardedChild, 'plain', 'orders[r1]'],
    ['a guarded base class, own method', GuardedChild, 'own', 'orders[r1]'],
    ['a guarded base class, inherited open method', GuardedChild, 'open', 'public'],
    ['an open base class, inherited method', OpenChild, 'plain', 'undecorated'],
    ['an open base class, own method', OpenChild, 'own', 'undecorated'],
    ['an open base class, inherited open method', OpenChild, 'open', 'public'],
    ['an open base class, inherited guarded method', OpenChild, 'closed', 'items[r2]'],
    ['guarded again: the audience of the nearest class', GuardedAgain, 'own', 'child[r3,r1]'],
    ['guarded again: inherited method', GuardedAgain, 'bare', '*[r3,r1]'],
    ['guarded again: overridden method', GuardedAgain, 'plain', 'child[r3,r1]'],
    ['guarded again without argument', GuardedByModule, 'plain', '*[r1]'],
    ['an open child of a guarded class', OpenedGuarded, 'own', 'public'],
    ['an open child of a guarded class, inherited method', OpenedGuarded, 'plain', 'public'],
    ['an open child of a guarded class, guarded method', OpenedGuarded, 'closed', 'items[r2,r1]'],
    ['the child of an open child is guarded again', OpenedGuardedChild, 'own', 'orders[r1]'],
    ['a guarded child of an open class', ClosedOpen, 'plain', 'closed[]'],
    ['a grandchild', GuardedGrandchild, 'own', 'child[r3,r1]'],
  ])('%s', (_, routeClass, method, expected) => {
    expect(shown(routeClass, method)).toBe(expected);
  });

  it('does not apply @Public of a base method to its override', () => {
    class Base {
      @Public() open() {}
    }
    class Child extends Base {
      override open() {}
    }
    expect(shown(Child, 'open')).toBe('undecorated');
    expect(shown(Base, 'open')).toBe('public');
  });

  it('is protected if @K8sAuth and @Public contradict each other', () => {
    @Public()
    @K8sAuth('orders')
    class Both {
      plain() {}
      @Public() @K8sAuth('items') both() {}
    }
    expect(shown(Both)).toBe('orders[]');
    expect(shown(Both, 'both')).toBe('items[]');
  });

  it('keeps all rules if decorators are composed', () => {
    class Composed {
      @K8sAuth('orders', r1)
      @K8sAuth('orders', r2)
      plain() {}
    }
    expect(shown(Composed)).toBe('orders[r2,r1]');
  });

  it('keeps the demands of an overridden method, unless the override has a decorator', () => {
    class Base {
      @K8sAuth('items', r1) closed() {}
    }
    class Silent extends Base {
      override closed() {}
    }
    class Explicit extends Silent {
      @K8sAuth('orders') override closed() {}
    }
    class Opened extends Silent {
      @Public() override closed() {}
    }
    class OpenedThenSilent extends Opened {
      override closed() {}
    }
    expect([Silent, Explicit, Opened, OpenedThenSilent].map((one) => shown(one, 'closed'))).toEqual([
      'items[r1]',
      'orders[]',
      'public',
      'undecorated',
    ]);
  });

  it('includes base classes that are inherited by prototype only', () => {
    function Old() {}
    Old.prototype = Object.create(Guarded.prototype, { constructor: { value: Old } }) as object;
    expect(shown(Old as unknown as RouteClass)).toBe('orders[r1]');
    expect(shown(Old as unknown as RouteClass, 'open')).toBe('public');
  });

  it('keeps a method closed that was copied from a class with @K8sAuth, even to a class with @Public', () => {
    const copyInto = (target: object) =>
      Object.defineProperty(target, 'copied', { value: Reflect.get(Guarded.prototype, 'plain') });
    class Silent {}
    @Public()
    class Opened {}
    @K8sAuth('child', r3)
    class Closed {}
    for (const one of [Silent, Opened, Closed]) copyInto(one.prototype);
    expect([Silent, Opened, Closed].map((one) => shown(one, 'copied'))).toEqual([
      'orders[r1]',
      'orders[r1]',
      'child[r3,r1]',
    ]);
  });
});

describe('two policies', () => {
  const isSame = (one: RoutePolicy, other: RoutePolicy) => [
    isSamePolicy(one, other),
    isSamePolicy(other, one),
  ];
  const policy = (audience: string | string[], ...rules: AuthorizationRule[]): RoutePolicy => ({
    kind: 'protected',
    audience,
    rules,
  });

  it('are the same if each has the rules of the other', () => {
    expect(isSame(policy('orders', r1, r2), policy('orders', r2, r1))).toEqual([true, true]);
    expect(isSame(policy('orders', r1, r1), policy('orders', r1))).toEqual([true, true]);
    expect(isSame(policy(['a', 'b']), policy(['b', 'a']))).toEqual([true, true]);
  });

  it('differ if one has a rule that the other does not have', () => {
    expect(isSame(policy('orders', r1, r1), policy('orders', r1, r2))).toEqual([false, false]);
    expect(isSame(policy('orders', r1), policy('orders', r1, r2))).toEqual([false, false]);
    expect(isSame(policy('orders'), policy('items'))).toEqual([false, false]);
  });
});
