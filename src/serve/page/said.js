// SPDX-License-Identifier: MIT
// What the page says in words: in place of a picture, and of target and server as a whole.
"use strict";

const ENDED = "The process has ended. Its figures stay here for a while.";
const STACKS_GONE = "The process has ended: its stacks are no longer there; the charts remain.";
const FACTS_GONE = "The process has ended: this is no longer known of it.";

class Said {
  constructor() {
    this.silence = this.failure = ""; // no answer, and what else keeps figures away
    this.ended = false;
  }

  // Says why there is no picture; "": there is one. instead: what is in the panel is of something
  // else than what is asked for.
  ofPicture(text, instead = false) {
    byId("state").hidden = !text;
    byId("state").textContent = localTimes(text);
    byId("detail").classList.toggle("instead", instead);
  }

  // An answer has come, whatever it was about.
  heard() {
    this.show({ silence: "" });
  }

  failed(error) {
    this.show(error.status === 0 ? { silence: error.message } : { failure: error.message });
  }

  show(change) {
    Object.assign(this, change);
    const text = this.silence || this.failure || (this.ended ? ENDED : "");
    byId("notice").hidden = !text;
    byId("notice").textContent = text;
  }
}
