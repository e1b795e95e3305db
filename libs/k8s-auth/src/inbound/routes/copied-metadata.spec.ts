import { Controller, Get, type Type } from '@nestjs/common';
import { afterEach, describe, expect, it } from '@jest/globals';
import { allowServiceAccounts } from '../../authorization/rules.js';
import { ADAPTERS, closeApps, startupMistakes } from '../../../test-support/inbound-app.js';
import { K8sAuth, Public } from '../k8s-auth.decorators.js';
import { startAndAsk, replaceMethods, withMetadata } from './replacements.fixture.js';

const onlyAdmin = allowServiceAccounts('shop/admin');
const OF_NEST = ['path', 'host', 'method', 'scope:options', '__controller__', '__version__'];

/** Copies all metadata of one class or function to another, as documentation decorators do. */
function copyMetadata(from: object, to: object): void {
  for (const key of Reflect.getMetadataKeys(from))
    if (!OF_NEST.includes(String(key))) Reflect.defineMetadata(key, Reflect.getMetadata(key, from), to);
}

const likeClass =
  (from: Type): ClassDecorator =>
  (target) =>
    copyMetadata(from, target);

const likeMethod =
  (from: object): MethodDecorator =>
  (_target, _name, descriptor) =>
    copyMetadata(from, descriptor.value as object);

@Controller('open')
@Public()
class Open {
  @Get() find() {
    return 'in';
  }
}
@Controller('weak')
@K8sAuth('orders')
class Weak {
  @Get() find() {
    return 'in';
  }
}
class Documented {
  @Public() @Get('open') opened() {
    return 'in';
  }
  @K8sAuth('orders') @Get('closed') closed() {
    return 'in';
  }
}

const { opened, closed } = Documented.prototype as unknown as Record<'opened' | 'closed', object>;

afterEach(closeApps);

describe.each(ADAPTERS)('metadata that another decorator copies on %s', (adapter) => {
  it.each([true, false])('does not open a class with @K8sAuth (guard global: %s)', async (guardIsGlobal) => {
    @likeClass(Open)
    @Controller('above')
    @K8sAuth('orders')
    class Above {
      @Get() find() {}
    }
    @Controller('below')
    @K8sAuth('orders')
    @likeClass(Open)
    class Below {
      @Get() find() {}
    }
    const controllers = [Open, Above, Below];
    const { statuses } = await startAndAsk(adapter, { controllers, guardIsGlobal });
    expect(await statuses('above')).toEqual([401, 200]);
    expect(await statuses('below')).toEqual([401, 200]);
    expect(await statuses('open')).toEqual([200, 200]);
  });

  it('does not remove rules of a class or a method if the copied metadata has weaker rules', async () => {
    @likeClass(Weak)
    @Controller('class')
    @K8sAuth('orders', onlyAdmin)
    class OfClass {
      @Get() find() {}
    }
    @Controller('method')
    class OfMethod {
      @likeMethod(closed) @Get() @K8sAuth('orders', onlyAdmin) find() {}
      @likeMethod(opened) @Get('open') @K8sAuth('orders', onlyAdmin) open() {}
    }
    const { statuses } = await startAndAsk(adapter, { controllers: [OfClass, OfMethod] });
    for (const path of ['class', 'method', 'method/open']) expect(await statuses(path)).toEqual([401, 403]);
  });

  it('does not open a subclass of a public class with a global guard', async () => {
    @likeClass(Open)
    @Controller('sub')
    class Sub extends Open {
      @Get('own') own() {}
    }
    const { statuses } = await startAndAsk(adapter, { controllers: [Sub], guardIsGlobal: true });
    for (const path of ['sub', 'sub/own']) expect(await statuses(path)).toEqual([403, 403]);
  });

  it('does not open a method of a class with @K8sAuth, or an undecorated method', async () => {
    @Controller('closed')
    @K8sAuth('orders')
    class Closed {
      @likeMethod(opened) @Get() find() {}
    }
    @Controller('plain')
    class Plain {
      @likeMethod(opened) @Get() find() {}
    }
    const { statuses } = await startAndAsk(adapter, { controllers: [Closed, Plain], guardIsGlobal: true });
    expect(await statuses('closed')).toEqual([401, 200]);
    expect(await statuses('plain')).toEqual([403, 403]);
  });

  it('closes a class or a method without our decorators', async () => {
    @likeClass(Weak)
    @Controller('class')
    class OfClass {
      @Get() find() {}
    }
    @Controller('method')
    class OfMethod {
      @likeMethod(closed) @Get() find() {}
    }
    const { statuses } = await startAndAsk(adapter, { controllers: [OfClass, OfMethod] });
    for (const path of ['class', 'method']) expect(await statuses(path)).toEqual([401, 200]);
  });

  it('does not close a public function that is mixed into another class, or replaced in its own class', async () => {
    @Controller('mixed')
    @K8sAuth('orders')
    class Mixed {}
    Object.defineProperty(Mixed.prototype, 'opened', { value: opened, writable: true });
    @Controller('wrapped')
    @K8sAuth('orders')
    class Wrapped {
      @Get('open') @Public() open() {}
    }
    replaceMethods(Wrapped.prototype, withMetadata);
    const { statuses } = await startAndAsk(adapter, { controllers: [Mixed, Wrapped] });
    for (const path of ['mixed/open', 'wrapped/open']) expect(await statuses(path)).toEqual([200, 200]);
  });
});

describe('metadata that was copied to a class or method with its own declaration', () => {
  it('fails startup if the two contradict each other', async () => {
    @Public()
    @likeClass(Weak)
    @Controller('opened')
    class Opened {
      @Get() find() {}
    }
    @Controller('other')
    class Other {
      @likeMethod(closed) @Get() @K8sAuth('items') find() {}
      @likeMethod(closed) @Get('open') @Public() open() {}
    }
    expect(await startupMistakes({ controllers: [Opened, Other] })).toEqual([
      'Opened: expected @K8sAuth or @Public, not both',
      'Other.find: expected one audience, not several @K8sAuth with different ones',
      expect.stringMatching('Other.open: expected @K8sAuth or @Public, not both'),
    ]);
  });
});
