export const Key = ({ k }: { k: string }) => <kbd aria-hidden="true">{k}</kbd>
