/** One thing that is done to this machine, or said about it. */
export type Step =
  | {
      readonly kind: 'work';
      readonly text: string;
      /** False: it is so already. */
      run(): Promise<boolean>;
    }
  | { readonly kind: 'note'; readonly text: string };
