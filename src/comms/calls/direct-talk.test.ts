import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { DirectStep } from '../../wire/webphone/client-message.ts';
import { DirectTalk, type DirectSide } from './direct-talk.ts';

class Page implements DirectSide {
  readonly told: string[] = [];
  resting = false;
  #handler: ((step: DirectStep) => void) | undefined;

  sendDirect(step: DirectStep): void {
    this.told.push('sdp' in step ? `${step.kind} ${step.sdp}` : step.kind);
  }

  rest(resting: boolean): void {
    this.resting = resting;
  }

  onDirect(handler: ((step: DirectStep) => void) | undefined): void {
    this.#handler = handler;
  }

  says(step: DirectStep): void {
    this.#handler?.(step);
  }
}

function connected(): { readonly mike: Page; readonly jenny: Page; readonly talk: DirectTalk } {
  const [mike, jenny] = [new Page(), new Page()];
  const talk = new DirectTalk([mike, jenny]);
  mike.says({ kind: 'offer', sdp: 'o' });
  jenny.says({ kind: 'answer', sdp: 'a' });
  return { mike, jenny, talk };
}

suite('a talk of two browsers past the server', () => {
  test('descriptions go across; both use it once both are connected, not before', () => {
    const { mike, jenny, talk } = connected();
    assert.deepEqual([mike.told, jenny.told], [['start', 'answer a'], ['offer o']]);
    mike.says({ kind: 'up' });
    assert.ok(!talk.isInUse && !mike.resting);
    jenny.says({ kind: 'up' });
    assert.ok(talk.isInUse && mike.resting && jenny.resting);
    assert.deepEqual([mike.told.at(-1), jenny.told.at(-1)], ['up', 'up']);
  });

  test('when one side loses it the other is told, once', () => {
    const { mike, jenny, talk } = connected();
    mike.says({ kind: 'up' });
    jenny.says({ kind: 'up' });
    jenny.says({ kind: 'down' });
    mike.says({ kind: 'down' });
    talk.stop();
    assert.ok(!talk.isInUse && !mike.resting && !jenny.resting);
    assert.deepEqual([mike.told.at(-1), jenny.told.at(-1)], ['down', 'up']);
  });

  test('both are told when the server is to hear; what they say after is nothing', () => {
    const { mike, jenny, talk } = connected();
    talk.stop();
    mike.says({ kind: 'up' });
    jenny.says({ kind: 'up' });
    assert.deepEqual(
      [mike.told, jenny.told],
      [
        ['start', 'answer a', 'down'],
        ['offer o', 'down'],
      ],
    );
  });

  test('neither side may take the part of the other or of the server', () => {
    const { mike, jenny } = connected();
    mike.says({ kind: 'answer', sdp: 'x' });
    jenny.says({ kind: 'offer', sdp: 'x' });
    jenny.says({ kind: 'start' });
    assert.deepEqual([mike.told, jenny.told], [['start', 'answer a'], ['offer o']]);
  });
});
