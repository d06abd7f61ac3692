// A sound for hands that are not looking at the screen.

/** Low and short: something was not taken. Browsers play nothing before the first touch. */
export function lowTone(): void {
  const audio = new AudioContext();
  const tone = audio.createOscillator();
  tone.frequency.value = 220;
  tone.connect(audio.destination);
  tone.onended = () => void audio.close();
  tone.start();
  tone.stop(audio.currentTime + 0.4);
}
