// What became of entries, for a while at the foot of the page, with a way back.
import { text } from "../../text.ts";
import { find } from "../screen.ts";

const STAY_MS = 10_000;

export type Toast = {
  /** Says something else of the same entry. */
  say: (words: string) => void;
  /** Stays until it is touched: something is wrong. */
  refuse: (words: string, seen: () => void) => void;
};

/** @param undo takes the entry back; left out where there is nothing to take back */
export function toast(label: string, words: string, undo?: () => void): Toast {
  const item = document.createElement("li");
  const said = document.createElement("span");
  const state = document.createElement("b");
  state.textContent = words;
  said.append(label, " — ", state);
  item.append(said);
  const gone = () => item.remove();
  let timer = setTimeout(gone, STAY_MS);
  const button = (name: string, act: () => void): HTMLButtonElement => {
    const made = document.createElement("button");
    made.type = "button";
    made.textContent = name;
    made.addEventListener("click", act);
    item.append(made);
    return made;
  };
  const way_back =
    undo &&
    button(text.entry.undo, () => {
      way_back?.remove();
      clearTimeout(timer);
      timer = setTimeout(gone, STAY_MS);
      undo();
    });
  find("[data-toasts]")?.append(item);
  return {
    say: (now) => {
      state.textContent = now;
    },
    refuse: (now, seen) => {
      clearTimeout(timer);
      state.textContent = now;
      item.dataset.refused = "";
      way_back?.remove();
      button(text.entry.dismiss, () => {
        gone();
        seen();
      });
    },
  };
}
