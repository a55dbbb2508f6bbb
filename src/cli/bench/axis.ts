/** An axis from 0 on is parted in so many. */
export const axisTicks = 4;

/** The next number that can be parted so without odd ends: 3673 becomes 4000. */
export function roundAbove(value: number): number {
	if (value <= 0) return 1;
	const unit = 10 ** Math.floor(Math.log10(value));
	const steps = [1, 2, 4, 6, 8, 10];
	return unit * (steps.find((step) => step * unit >= value) ?? 10);
}

/** 1200 as 1,200; 0.1 as it is. */
export function numberText(value: number): string {
	return value.toLocaleString("en-US", { maximumFractionDigits: 3 });
}
