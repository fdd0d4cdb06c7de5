namespace Merge.Samples.Digits;

/// <summary>
/// The three splits. Training rows come from 30 writers; selection and report are the first and the second half of the
/// rows of 13 other writers. Rows of one writer stand together in that file, so a choice made on the selection split is
/// reported on (nearly) only writers that neither training nor choice has seen.
/// </summary>
/// <param name="Train">What models learn from.</param>
/// <param name="Selection">What may choose between models.</param>
/// <param name="Report">What accuracies are reported on; never used for choosing.</param>
public sealed record DigitsData(DigitsSplit Train, DigitsSplit Selection, DigitsSplit Report)
{
    private const int TrainRows = 3823;
    private const int OtherRows = 1797;

    /// <summary>Where the build puts the data: beside the binary.</summary>
    public static string DefaultFolder { get; } = Path.Combine(AppContext.BaseDirectory, "samples", "digits", "data");

    /// <summary>Reads both files.</summary>
    /// <param name="folder">Holds <c>optdigits.tra</c> and <c>optdigits.tes</c>.</param>
    /// <exception cref="IOException">A file is absent or cannot be read.</exception>
    /// <exception cref="InvalidDataException">A file is not the one expected; the message names file and
    /// line.</exception>
    public static DigitsData Load(string folder)
    {
        var train = Read(Path.Combine(folder, "optdigits.tra"), TrainRows);
        var others = Read(Path.Combine(folder, "optdigits.tes"), OtherRows);
        return new DigitsData(train, others.Rows(0, OtherRows / 2), others.Rows(OtherRows / 2, OtherRows));
    }

    private static DigitsSplit Read(string file, int expectedRows)
    {
        var lines = File.ReadAllLines(file);
        if (lines.Length != expectedRows)
            throw new InvalidDataException($"{file}: {lines.Length} lines, expected {expectedRows}.");

        var pixels = new float[lines.Length * DigitsSplit.PixelsPerImage];
        var labels = new int[lines.Length];
        for (var row = 0; row < lines.Length; row++)
        {
            var cells = lines[row].Split(',');
            if (cells.Length != DigitsSplit.PixelsPerImage + 1)
                throw new InvalidDataException($"{file}:{row + 1}: {cells.Length} values, expected 65.");

            for (var i = 0; i < DigitsSplit.PixelsPerImage; i++)
                pixels[row * DigitsSplit.PixelsPerImage + i] = Count(cells[i]) / 16f;
            labels[row] = Digit(cells[^1]);

            int Count(string cell) =>
                int.TryParse(cell, out var count) && count is >= 0 and <= 16
                    ? count
                    : throw new InvalidDataException($"{file}:{row + 1}: '{cell}', expected a count from 0 to 16.");

            // The files at hand hold the digit divided by ten, unlike UCI's: data/README.md.
            int Digit(string cell) =>
                cell is "0" ? 0
                : cell is ['0', '.', >= '1' and <= '9' and var digit] ? digit - '0'
                : throw new InvalidDataException(
                    $"{file}:{row + 1}: '{cell}', expected a label of 0, 0.1 … 0.9: the digit divided by ten.");
        }

        return new DigitsSplit(pixels, labels);
    }
}
