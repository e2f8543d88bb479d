// SPDX-License-Identifier: MIT
// Figures of a target as they come: the history first, then an event for each reading. Where events
// do not get through (a proxy that keeps them back), the history is asked again and again.
"use strict";

const EVENTS_LATE_MS = 15000; // without an event, until the history is asked instead

const known = (value) => (value === null || value === undefined ? NaN : Number(value));

// A reading as charts want it. Times of threads that neither ran nor waited for a CPU are what is
// left of the time that all had.
function readingOf(json) {
  const cpu = json.cpu_percent || {}, threads = json.threads || {};
  const memory = json.memory_bytes || {};
  const user = known(cpu.user), system = known(cpu.system), total = known(threads.total);
  const queued = known(json.run_queue_wait_percent);
  return {
    time: Date.parse(json.timestamp), user, system, queued, total, rss: known(memory.rss),
    running: known(threads.running), sleeping: known(threads.sleeping),
    disk: known(threads.disk), stopped: known(threads.stopped),
    blocked: Math.max(total - (user + system + queued) / 100, 0),
    fds: known((json.fds || {}).open), fdsMost: known((json.fds || {}).limit),
  };
}

class Readings {
  // changed: told when there are other readings; failed(error): when there are none to be had
  constructor(axis, changed, failed) {
    Object.assign(this, { axis, changed, failed });
    this.heard = 0;
  }

  start() {
    this.stop();
    this.going = true;
    this.load();
    this.source = new EventSource(`${server.base}api/v1/events`);
    this.source.addEventListener("message", (event) => this.hear(event.data));
    this.timer = setInterval(() => {
      if (performance.now() - this.heard > EVENTS_LATE_MS ||
          this.source.readyState === EventSource.CLOSED) this.load();
    }, READING_MS);
  }

  stop() {
    this.going = false;
    this.end();
  }

  // There will be no more.
  end() {
    this.source?.close();
    clearInterval(this.timer);
  }

  hear(text) {
    this.heard = performance.now();
    const reading = readingOf(JSON.parse(text));
    if (!this.going || Number.isNaN(reading.time)) return;
    this.axis.push(reading);
    this.changed(reading);
  }

  async load() {
    const { going } = this;
    try {
      const { samples } = await askJson("api/v1/series", { count: READINGS_MOST });
      if (going && !this.going) return; // it was stopped meanwhile
      const readings = samples.map(readingOf).filter((one) => !Number.isNaN(one.time));
      this.axis.set(readings);
      if (readings.length) this.changed(readings[readings.length - 1]);
      this.failed(null);
    } catch (error) {
      this.failed(error);
    }
  }
}
