import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deferred } from '../base/deferred.ts';
import { MAX_WAITING_DELIVERIES, OrderedDelivery } from './ordered-delivery.ts';

const unexpected = (error: unknown): void => {
  throw error;
};

test('deliveries of one key wait for each other, those of another do not', async () => {
  const delivery = new OrderedDelivery(unexpected);
  const slow = deferred<void>();
  const order: string[] = [];
  delivery.deliver('a', async () => {
    await slow.promise;
    order.push('a1');
  });
  delivery.deliver('a', () => Promise.resolve(void order.push('a2')));
  delivery.deliver('b', () => Promise.resolve(void order.push('b1')));
  await Promise.resolve();
  slow.resolve();
  await delivery.settled();
  assert.deepEqual(order, ['b1', 'a1', 'a2']);
});

test('a delivery that fails is told and does not keep the next one back', async () => {
  const failures: unknown[] = [];
  const delivery = new OrderedDelivery((error) => failures.push(error));
  const order: string[] = [];
  delivery.deliver('a', () => Promise.reject(new Error('gone')));
  delivery.deliver('a', () => Promise.resolve(void order.push('next')));
  await delivery.settled();
  assert.deepEqual(order, ['next']);
  assert.equal(failures.length, 1);
});

test('a key can be used again after its queue ran empty', async () => {
  const delivery = new OrderedDelivery(unexpected);
  let count = 0;
  for (let round = 0; round < 3; round += 1) {
    delivery.deliver('a', () => Promise.resolve(void (count += 1)));
    await delivery.settled();
  }
  assert.equal(count, 3);
});

test('refuses more than it can keep', async () => {
  const delivery = new OrderedDelivery(unexpected);
  const slow = deferred<void>();
  delivery.deliver('a', () => slow.promise);
  await Promise.resolve();
  for (let count = 0; count < MAX_WAITING_DELIVERIES; count += 1) {
    assert.equal(
      delivery.deliver('a', () => Promise.resolve()),
      true,
    );
  }
  assert.equal(
    delivery.deliver('a', () => Promise.resolve()),
    false,
  );
  slow.resolve();
  await delivery.settled();
});
