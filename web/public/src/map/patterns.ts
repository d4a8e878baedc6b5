/** Hatchings that tell the conditions apart without their colours, drawn here so that none is fetched. */

const size = 24;

type Draw = (pen: CanvasRenderingContext2D) => void;

function stroke(pen: CanvasRenderingContext2D, width: number, lines: readonly (readonly [number, number, number, number])[]): void {
  pen.lineWidth = width;
  pen.beginPath();
  for (const [x1, y1, x2, y2] of lines) {
    pen.moveTo(x1, y1);
    pen.lineTo(x2, y2);
  }
  pen.stroke();
}

const draw: Readonly<Record<string, Draw>> = {
  // Broad stripes that rise.
  'pattern-shelter': (pen) => stroke(pen, 4, [[-6, 18, 18, -6], [6, 30, 30, 6], [-6, 42, 42, -6]]),
  // Dots.
  'pattern-prepare': (pen) => {
    for (const [x, y] of [[6, 6], [18, 18]] as const) {
      pen.beginPath();
      pen.arc(x, y, 2.6, 0, 2 * Math.PI);
      pen.fill();
    }
  },
  // A thin net.
  'pattern-no-news': (pen) => stroke(pen, 2, [[0, 0, 24, 24], [24, 0, 0, 24]]),
  // Thin level lines.
  'pattern-all-clear': (pen) => stroke(pen, 1.5, [[0, 6, 24, 6], [0, 18, 24, 18]]),
  // Thin upright lines.
  'pattern-cancelled': (pen) => stroke(pen, 1.5, [[6, 0, 6, 24], [18, 0, 18, 24]]),
};

/** The picture of a hatching; undefined for a name that is none. */
export function pattern(name: string, dark: boolean): ImageData | undefined {
  const paint = draw[name];
  const pen = Object.assign(document.createElement('canvas'), { width: size, height: size }).getContext('2d');
  if (paint === undefined || pen === null) return undefined;
  const ink = dark || name === 'pattern-shelter' ? 'rgb(255 255 255 / 40%)' : 'rgb(20 16 0 / 45%)';
  pen.strokeStyle = ink;
  pen.fillStyle = ink;
  paint(pen);
  return pen.getImageData(0, 0, size, size);
}
