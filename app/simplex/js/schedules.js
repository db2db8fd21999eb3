// How τ may fall during a training: τ as a function of the share of its steps.

const [START, END] = [5, 0.1];
const RATE = 1e-5; // Jang, Gu and Poole (2017), section 4.1: r in {1e-5, 1e-4}
export const STEPS = 100_000;
export const SCHEDULES = {
  exponential: { title: "Exponential", top: START, tau: (share) => START * (END / START) ** share },
  linear: { title: "Linear", top: START, tau: (share) => START + (END - START) * share },
  cosine: { title: "Cosine", top: START, tau: (share) => END + ((START - END) * (1 + Math.cos(Math.PI * share))) / 2 },
  jang: { title: "Jang et al.", top: 1, tau: (share) => Math.max(0.5, Math.exp(-RATE * STEPS * share)) },
};
