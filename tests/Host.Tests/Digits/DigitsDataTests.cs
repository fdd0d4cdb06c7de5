using Merge.Commands;
using Merge.Samples.Digits;

namespace Host.Tests.Digits;

public class DigitsDataTests
{
    [Fact]
    public void The_data_lies_beside_the_binary_with_its_attribution()
    {
        var data = DigitsData.Load(DigitsData.DefaultFolder);
        Assert.Equal((3823, 898, 899), (data.Train.Count, data.Selection.Count, data.Report.Count));
        Assert.True(File.Exists(Path.Combine(DigitsData.DefaultFolder, "README.md")));
    }

    [Fact]
    public void The_page_that_the_demo_points_to_lies_beside_the_program() =>
        Assert.StartsWith("# Digits", File.ReadAllText(DemoCommand.Page));

    [Fact]
    public void Every_label_is_the_digit_that_UCI_counts()
    {
        var data = DigitsData.Load(DigitsData.DefaultFolder);
        Assert.Equal([376, 389, 380, 389, 387, 376, 377, 387, 380, 382], CountsOf(data.Train.Labels));
        Assert.Equal(
            [178, 182, 177, 183, 181, 182, 181, 179, 174, 180],
            CountsOf([.. data.Selection.Labels, .. data.Report.Labels]));

        static IEnumerable<int> CountsOf(int[] labels) =>
            Enumerable.Range(0, 10).Select(digit => labels.Count(label => label == digit));
    }

    [Fact]
    public void Only_keeps_image_and_digit_together()
    {
        DigitsSplit split = new([.. Enumerable.Range(0, 3 * 64).Select(i => (float)(i / 64))], [7, 1, 7]);
        var sevens = split.Only(7);
        Assert.Equal([7, 7], sevens.Labels);
        Assert.Equal([0f, 2f], sevens.Pixels.Distinct());
    }

    [Theory]
    [InlineData("17", "0.3", "a count from 0 to 16")]
    [InlineData("x", "0.3", "a count from 0 to 16")]
    [InlineData("3", "7", "the digit divided by ten")]
    [InlineData("3", "0.10", "the digit divided by ten")]
    public void A_wrong_cell_is_refused_with_file_and_line(string pixel, string label, string expected)
    {
        var folder = Directory.CreateTempSubdirectory("digits-").FullName;
        try
        {
            var file = Path.Combine(folder, "optdigits.tra");
            var lines = File.ReadAllLines(Path.Combine(DigitsData.DefaultFolder, "optdigits.tra"));
            lines[4] = string.Join(',', Enumerable.Repeat("0", 63).Append(pixel).Append(label));
            File.WriteAllLines(file, lines);

            var error = Assert.Throws<InvalidDataException>(() => DigitsData.Load(folder));
            Assert.StartsWith($"{file}:5:", error.Message);
            Assert.Contains(expected, error.Message);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
