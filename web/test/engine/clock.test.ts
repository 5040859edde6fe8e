import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { Clock } from "../../src/engine/clock.ts";

/** A clock that is closed however the test ends: it keeps the process alive. */
function clockFor(t: TestContext, onTimer: () => void = () => {}): Clock {
  const clock = new Clock(onTimer);
  t.after(() => clock.close());
  return clock;
}

test("time goes on", (t) => {
  const clock = clockFor(t);
  const first = clock.ns();
  while (clock.ns() === first);
  assert.ok(clock.ns() > first);
  assert.ok(Math.abs(clock.realtimeNs() / 1e6 - Date.now()) < 1000);
});

test("a timer ends a sleep, not before its time", async (t) => {
  for (const ms of [0.5, 2, 30]) {
    let fired = 0;
    const clock: Clock = clockFor(t, () => {
      fired++;
      clock.interrupt();
    });
    const begin = performance.now();
    clock.setTimer(ms * 1e6);
    await clock.sleep();
    assert.equal(fired, 1);
    assert.ok(performance.now() - begin >= ms - 0.1);
    clock.close();
  }
});

test("a timer that is stopped or set anew does not fire", async (t) => {
  let fired = 0;
  const clock: Clock = clockFor(t, () => {
    fired++;
    clock.interrupt();
  });
  clock.setTimer(1e6);
  clock.stopTimer();
  clock.setTimer(20e6);
  const begin = performance.now();
  await clock.sleep();
  assert.ok(performance.now() - begin >= 19);
  assert.equal(fired, 1);
});

test("an interrupt ends a sleep", async (t) => {
  const clock = clockFor(t);
  setTimeout(() => clock.interrupt(), 5);
  await clock.sleep();
  clock.interrupt(); // nobody sleeps
});

test("a due timer fires at a look", async (t) => {
  let fired = 0;
  const clock = clockFor(t, () => fired++);
  clock.setTimer(1e6);
  while (fired === 0) clock.check();
  clock.check();
  assert.equal(fired, 1);
});

test("the event loop is due every 8 ms, and gets its turn", async (t) => {
  const begin = performance.now();
  const clock = clockFor(t);
  while (!clock.check());
  assert.ok(performance.now() - begin >= 7);
  for (let late = true; late;) {
    await clock.turn();
    const turned = performance.now();
    const due = clock.check();
    // A busy host may have let another 8 ms go by.
    late = performance.now() - turned >= 7;
    assert.ok(late || !due);
  }
  // Others come in between: a machine that never sleeps does not starve them.
  let others = false;
  setTimeout(() => (others = true), 0);
  while (!others && performance.now() - begin < 5000) await clock.turn();
  assert.ok(others);
});

test("a clock that is closed leaves nothing in the event loop", async (t) => {
  const clock = clockFor(t, () => assert.fail("it is closed"));
  clock.setTimer(60e9);
  const asleep = clock.sleep();
  const turn = clock.turn();
  clock.close();
  await asleep;
  await turn;
});
